/** Damaged files end in a sentence and never take more memory than a few times their own size. */
import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { EngineInfo } from '$lib/documents/trace.ts';
import { openBackend } from '$lib/ops/index.ts';
import { ModelError } from './error.ts';
import { ggufOf } from './gguf/testing.ts';
import { loadModel } from './load.ts';
import { HF_RANDOM, randomLlama } from './random-llama.ts';
import { readSafetensors, toFloat32 } from './safetensors.ts';
import { filesSource } from './source.ts';

let engine: EngineInfo;
beforeAll(async () => { engine = await openBackend('cpu'); });
afterEach(() => { vi.unstubAllGlobals(); });

const config = {
	architectures: ['LlamaForCausalLM'], vocab_size: 258, hidden_size: 32, intermediate_size: 32, num_hidden_layers: 1,
	num_attention_heads: 2, num_key_value_heads: 1, head_dim: 16, max_position_embeddings: 16, tie_word_embeddings: true
};
const source = randomLlama(config, HF_RANDOM);
const safetensors = new Uint8Array((await source.bytes('model.safetensors'))!);
const tokenizer = (await source.json('tokenizer.json')) as { model: { vocab: Record<string, number> } };
const tokens = Object.entries(tokenizer.model.vocab).sort(([, a], [, b]) => a - b).map(([token]) => token);
const tensors = [...readSafetensors(safetensors.slice().buffer, 'x').values()].map((tensor) => ({ name: tensor.name, shape: tensor.shape, numbers: toFloat32(tensor) }));
// Q4_0 with codes of zeros: which numbers it holds does not matter here.
const gguf = new Uint8Array(ggufOf(config, tokens, tensors, (numbers, shape) =>
	(shape.length === 2 ? { type: 2, bytes: new Uint8Array((numbers.length / 32) * 18) } : { type: 0, bytes: new Uint8Array(numbers.slice().buffer) })));

const small = { 'config.json': new Blob([JSON.stringify(config)]), 'tokenizer.json': new Blob([JSON.stringify(tokenizer)]) };
const asSafetensors = (bytes: Uint8Array<ArrayBuffer>) => filesSource('m', { ...small, 'model.safetensors': new Blob([bytes]) });
const asGguf = (bytes: Uint8Array<ArrayBuffer>) => filesSource('m', { 'm.gguf': new Blob([bytes]) });

/** Counts the bytes of every array that is asked for, from here to the end of the test. */
function watchMemory(): { total: number; largest: number } {
	const seen = { total: 0, largest: 0 };
	const count = (bytes: number) => {
		seen.total += bytes;
		seen.largest = Math.max(seen.largest, bytes);
		// Not only counted: nothing of the kind may be tried.
		if (bytes > 2 ** 28) throw new Error(`${bytes} bytes at once`);
	};
	for (const make of [ArrayBuffer, Uint8Array, Int8Array, Uint16Array, Int16Array, Uint32Array, Int32Array, Float32Array, Float64Array]) {
		const bytesEach = 'BYTES_PER_ELEMENT' in make ? make.BYTES_PER_ELEMENT : 1;
		vi.stubGlobal(make.name, new Proxy(make, {
			construct(target, args: [unknown]) {
				if (typeof args[0] === 'number') count(args[0] * bytesEach);
				return Reflect.construct(target, args) as object;
			}
		}));
	}
	const from = Array.from;
	vi.stubGlobal('Array', new Proxy(Array, {
		get: (target, name) => (name !== 'from' ? Reflect.get(target, name) as unknown : (list: { length?: number }, ...more: []) => {
			if (typeof list?.length === 'number') count(8 * list.length);
			return from(list as ArrayLike<unknown>, ...more);
		})
	}));
	return seen;
}

type Change = (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;
const SPECIAL = [0n, 1n, 2n, 255n, 2n ** 16n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 40n, 2n ** 53n, 2n ** 60n, 2n ** 62n, 2n ** 63n, 2n ** 64n - 1n];
const place = (most: number) => fc.integer({ min: 0, max: most - 1 });
/** The first bytes of a file matter most. */
const somewhere = (length: number, header: number) => fc.oneof({ weight: 4, arbitrary: place(Math.min(header, length)) }, place(length));

const flips = (length: number, header: number): fc.Arbitrary<Change> => fc.array(fc.tuple(somewhere(length, header), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 })
	.map((all) => (bytes) => { for (const [at, byte] of all) bytes[at] = byte; return bytes; });
const cuts = (length: number, header: number): fc.Arbitrary<Change> => somewhere(length, header).map((at) => (bytes) => bytes.slice(0, at));
const shifts = (length: number, header: number): fc.Arbitrary<Change> => fc.tuple(somewhere(length, header), fc.uint8Array({ maxLength: 12 }), fc.nat(12))
	.map(([at, more, gone]) => (bytes) => Uint8Array.from([...bytes.subarray(0, at), ...more, ...bytes.subarray(at + gone)]));
const numbers = (length: number, header: number): fc.Arbitrary<Change> => fc.tuple(somewhere(length - 8, header), fc.constantFrom(4, 8), fc.oneof(fc.constantFrom(...SPECIAL), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })))
	.map(([at, size, value]) => (bytes) => {
		const view = new DataView(bytes.buffer);
		if (size === 8) view.setBigUint64(at, value, true);
		else view.setUint32(at, Number(value & 0xffffffffn), true);
		return bytes;
	});
/** Another value somewhere in the header's JSON, the lengths being right. */
const edits: fc.Arbitrary<Change> = fc.tuple(fc.nat(), fc.constantFrom('dtype', 'shape', 'data_offsets', null), fc.nat(3), fc.oneof(
	fc.constantFrom<unknown>(-1, 0.5, 1e308, 2 ** 31, 2 ** 53, 2 ** 60, null, '7', [], {}, [[1]], 'Q4_0', 'F16', 'BF16', '__proto__'), fc.jsonValue(), fc.integer()
)).map(([which, field, index, value]) => (bytes) => {
	const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
	const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Record<string, Record<string, unknown>>;
	const names = Object.keys(header);
	const entry = header[names[which % names.length]];
	if (field === null) header[names[which % names.length]] = value as Record<string, unknown>;
	else if (Array.isArray(entry[field]) && which % 2) (entry[field] as unknown[])[index] = value;
	else entry[field] = value;
	const text = new TextEncoder().encode(JSON.stringify(header));
	const file = new Uint8Array(8 + text.length + bytes.length - 8 - length);
	new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
	file.set(text, 8);
	file.set(bytes.subarray(8 + length), 8 + text.length);
	return file;
});
const changesOf = (length: number, header: number) => [flips(length, header), cuts(length, header), shifts(length, header), numbers(length, header)];

const FORMS = [
	{ name: 'safetensors', good: safetensors, open: asSafetensors, changes: fc.oneof(...changesOf(safetensors.length, 1500), edits, edits) },
	{ name: 'GGUF', good: gguf, open: asGguf, changes: fc.oneof(...changesOf(gguf.length, 7000), numbers(gguf.length, 7000), numbers(gguf.length, 1200)) }
];

describe.each(FORMS)('a damaged $name file', ({ good, open, changes }) => {
	it('ends in a sentence, or loads, in memory of a few times its size; a thousand times', async () => {
		const load = async (bytes: Uint8Array<ArrayBuffer>) => (await loadModel(open(bytes), engine)).dispose();
		// Once before, for what is made only once.
		await load(good);
		const seen = watchMemory();
		await load(good);
		const usual = { ...seen };
		// The head alone; otherwise nothing was watched.
		expect(usual.total).toBeGreaterThan(4 * 258 * 32);
		let refused = 0;
		await fc.assert(fc.asyncProperty(changes, async (change) => {
			const bytes = change(good.slice());
			seen.total = seen.largest = 0;
			try {
				await load(bytes);
			} catch (error) {
				refused++;
				expect(error).toBeInstanceOf(ModelError);
				expect((error as Error).message).toMatch(/^[A-Z\w"].*[.!]$/s);
			}
			// The undamaged file takes its numbers and its tokenizer; damage may not take much more.
			expect(seen.largest).toBeLessThanOrEqual(2 * usual.largest);
			expect(seen.total).toBeLessThanOrEqual(2 * usual.total);
		}), { numRuns: 1000 });
		// Otherwise nothing was tried.
		expect(refused).toBeGreaterThan(300);
	});
});
