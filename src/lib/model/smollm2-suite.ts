/** A model that people know, from the file as it is passed around, against transformers (conformance/smollm2.py). */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EngineInfo } from '$lib/documents/trace.ts';
import { openBackend, read, type WeightFormat } from '$lib/ops/index.ts';
import { pack, unpack } from '$lib/ops/mat-mul/formats.ts';
import { applyChat, type Message } from './chat.ts';
import { checkpointOf } from './checkpoint.ts';
import { readConfig } from './config.ts';
import { loadModel, type LoadedModel } from './load.ts';
import { openModel } from './open.ts';
import { PlainMemory } from './plain-memory.ts';
import { argmax } from './sampling.ts';
import { sourceOf as placeOf } from './source.ts';
import { toFloat32, type TensorSource } from './stored.ts';
import { decoderOf, projectionsOf } from './testing.ts';
import type { Decoder } from './types.ts';

interface Top { ids: number[]; logits: number[] }
interface Prompt { chat?: Message[]; text?: string; ids: number[]; tokens: number[]; continuation: string; first: Top; last: Top }
const reference = JSON.parse(readFileSync('conformance/smollm2.json', 'utf8')) as { sha256: string; file: string; prompts: Prompt[]; texts: { text: string; ids: number[] }[] };
const file = process.env.WINNOW_SMOLLM2 ?? `.cache/smollm2/${reference.file}`;
const present = existsSync(file);
const PATIENCE = 600_000;
const say = (text: string) => process.stderr.write(`SmolLM2: ${text}\n`);

/** Reads ids, then goes on, greedily or with `forced` tokens; the logits before each token. */
async function write(decoder: Decoder, ids: number[], count: number, forced?: number[]): Promise<{ tokens: number[]; logits: Float32Array[] }> {
	const memory = new PlainMemory(decoder.shape, 1, ids.length + count);
	const tokens: number[] = [];
	const logits: Float32Array[] = [];
	try {
		for (let feed = ids; tokens.length < count; feed = (forced ?? tokens).slice(tokens.length - 1, tokens.length)) {
			const out = await decoder.forward(Int32Array.from(feed), { batch: 1, tokens: feed.length, start: Int32Array.of(memory.length) }, memory);
			logits.push((await read(out.logits)) as Float32Array);
			out.logits.dispose();
			tokens.push(argmax(logits[logits.length - 1]));
		}
	} finally {
		memory.dispose();
	}
	return { tokens, logits };
}

const largest = (numbers: ArrayLike<number>) => Array.from(numbers).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
/** Largest difference at the reference's highest logits, as a part of the largest of them. */
const difference = (logits: Float32Array, { ids, logits: expected }: Top) =>
	Math.max(...ids.map((id, i) => Math.abs(logits[id] - expected[i]))) / largest(expected);
const off = (found: Float32Array, expected: Float32Array) => largest(found.map((x, i) => x - expected[i])) / largest(expected);

/** The file's weights with every product rounded to a format, and a head apart from the embedding, which stays. */
async function rounded(format: Exclude<WeightFormat, 'f32'>): Promise<Decoder> {
	const { config: json, tensors } = await openModel(placeOf(file));
	const source = await tensors();
	const config = readConfig({ ...(json as object), tie_word_embeddings: false });
	const { head, embedding } = checkpointOf(config);
	const products = new Set([...projectionsOf(config), head!].flatMap(({ parts }) => parts.map(({ weight }) => weight)));
	const own = (name: string) => (source.describe(name) ? name : embedding);
	const source32: TensorSource = {
		names: () => [...new Set([...source.names(), 'lm_head.weight'])],
		describe: (name) => source.describe(own(name)),
		tensor: async (name) => {
			const tensor = await source.tensor(own(name));
			if (!products.has(name)) return tensor;
			const numbers = unpack(pack(toFloat32(tensor), tensor.shape[0], format), format);
			return { ...tensor, name, dtype: 'F32', bytes: new Uint8Array(numbers.buffer) };
		}
	};
	return decoderOf(source32, config);
}

export function smolSuite(backend: EngineInfo['backend'], formats: readonly WeightFormat[]): void {
	if (!present) say(`not tested on ${backend}: there is no ${file}. Run "bash conformance/fetch-smollm2.sh", or say in WINNOW_SMOLLM2 where it lies.`);
	describe.runIf(present).each(formats)(`SmolLM2-135M-Instruct from GGUF, weights in %s on ${backend}`, (format) => {
		let model: LoadedModel;
		beforeAll(async () => {
			expect(createHash('sha256').update(readFileSync(file)).digest('hex'), `${file} is another file than the reference was made of`).toBe(reference.sha256);
			model = await loadModel(file, await openBackend(backend), undefined, undefined, { format });
		}, PATIENCE);
		afterAll(() => model?.dispose());

		it('splits texts as the reference does', () => {
			for (const { text, ids } of reference.texts) {
				expect(Array.from(model.tokenizer.encode(text))).toEqual(ids);
				expect(model.tokenizer.decode(ids)).toBe(text);
			}
		});

		it.runIf(format === 'f32' || format === 'f16').each(reference.prompts.map((prompt) => [prompt.text ?? prompt.chat![0].content, prompt] as const))('goes on from "%s" as transformers does', async (_, prompt) => {
			const text = prompt.text ?? applyChat(model.chat, prompt.chat!, { addGenerationPrompt: true });
			expect(Array.from(model.tokenizer.encode(text, { bare: true }))).toEqual(prompt.ids);
			const { tokens, logits } = await write(model.decoder, prompt.ids, prompt.tokens.length);
			expect(model.tokenizer.texts(tokens).join('')).toBe(prompt.continuation);
			expect(tokens).toEqual(prompt.tokens);
			const errors = [difference(logits[0], prompt.first), difference(logits[logits.length - 1], prompt.last)];
			for (const error of errors) expect(error).toBeLessThan(1e-3);
			say(`${format} on ${backend}: largest relative error of the 20 highest logits, first and last step: ${errors.map((error) => error.toExponential(1)).join(', ')}`);
		}, PATIENCE);

		it.runIf(format !== 'f32')('is off by the rounding of its weights alone', async () => {
			const { ids, tokens, first } = reference.prompts[0];
			const packed = await write(model.decoder, ids, 4, tokens);
			const decoder = await rounded(format as Exclude<WeightFormat, 'f32'>);
			const exact = await write(decoder, ids, 4, tokens);
			decoder.dispose();
			packed.logits.forEach((logits, step) => expect(off(logits, exact.logits[step])).toBeLessThan(1e-3));
			say(`${format} on ${backend}: off the float32 weights by ${difference(packed.logits[0], first).toExponential(1)}`);
		}, PATIENCE);
	});
}
