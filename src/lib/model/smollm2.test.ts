/** A model that people know, from the file as it is passed around, against transformers (conformance/smollm2.py). */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBackend, read } from '$lib/ops/index.ts';
import { applyChat, type Message } from './chat.ts';
import { loadModel, type LoadedModel } from './load.ts';
import { PlainMemory } from './plain-memory.ts';
import { argmax } from './sampling.ts';

interface Top { ids: number[]; logits: number[] }
interface Prompt { chat?: Message[]; text?: string; ids: number[]; tokens: number[]; continuation: string; first: Top; last: Top }
const reference = JSON.parse(readFileSync('conformance/smollm2.json', 'utf8')) as { sha256: string; file: string; prompts: Prompt[]; texts: { text: string; ids: number[] }[] };
const file = process.env.WINNOW_SMOLLM2 ?? `.cache/smollm2/${reference.file}`;
const present = existsSync(file);
if (!present) {
	process.stderr.write(`SmolLM2 is not tested: there is no ${file}. Run "bash conformance/fetch-smollm2.sh", or say in WINNOW_SMOLLM2 where it lies.\n`);
}

describe.runIf(present)('SmolLM2-135M-Instruct from GGUF', () => {
	let model: LoadedModel;
	beforeAll(async () => {
		expect(createHash('sha256').update(readFileSync(file)).digest('hex'), `${file} is another file than the reference was made of`).toBe(reference.sha256);
		model = await loadModel(file, await openBackend('wasm'));
	}, 600_000);
	afterAll(() => model?.dispose());

	/** Reads ids, then writes greedily; the logits before each token. */
	async function write(ids: number[], count: number): Promise<{ tokens: number[]; logits: Float32Array[] }> {
		const memory = new PlainMemory(model.shape, 1, ids.length + count);
		const tokens: number[] = [];
		const logits: Float32Array[] = [];
		try {
			for (let feed = ids; tokens.length < count; feed = tokens.slice(-1)) {
				const out = await model.decoder.forward(Int32Array.from(feed), { batch: 1, tokens: feed.length, start: Int32Array.of(memory.length) }, memory);
				logits.push((await read(out.logits)) as Float32Array);
				out.logits.dispose();
				tokens.push(argmax(logits[logits.length - 1]));
			}
		} finally {
			memory.dispose();
		}
		return { tokens, logits };
	}

	/** Largest difference at the reference's highest logits, as a part of the largest of them. */
	const difference = (logits: Float32Array, { ids, logits: expected }: Top) =>
		Math.max(...ids.map((id, i) => Math.abs(logits[id] - expected[i]))) / Math.max(...expected.map(Math.abs));

	it('splits texts as the reference does', () => {
		for (const { text, ids } of reference.texts) {
			expect(Array.from(model.tokenizer.encode(text))).toEqual(ids);
			expect(model.tokenizer.decode(ids)).toBe(text);
		}
	});

	it.each(reference.prompts.map((prompt) => [prompt.text ?? prompt.chat![0].content, prompt] as const))('goes on from "%s" as transformers does', async (_, prompt) => {
		const text = prompt.text ?? applyChat(model.chat, prompt.chat!, { addGenerationPrompt: true });
		expect(Array.from(model.tokenizer.encode(text, { bare: true }))).toEqual(prompt.ids);
		const { tokens, logits } = await write(prompt.ids, prompt.tokens.length);
		expect(model.tokenizer.texts(tokens).join('')).toBe(prompt.continuation);
		expect(tokens).toEqual(prompt.tokens);
		const errors = [difference(logits[0], prompt.first), difference(logits[logits.length - 1], prompt.last)];
		for (const error of errors) expect(error).toBeLessThan(1e-3);
		process.stderr.write(`SmolLM2: largest relative error of the 20 highest logits, first and last step: ${errors.map((error) => error.toExponential(1)).join(', ')}\n`);
	}, 600_000);
});
