import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rotation } from '$lib/numerics/rope.ts';
import { openBackend, read } from '$lib/ops/index.ts';
import { decodeLogits, prefillLogits } from './conformance.ts';
import { loadModel, type LoadedModel } from './load.ts';
import { PlainMemory } from './plain-memory.ts';
import { HF_RANDOM, randomLlama } from './random-llama.ts';
import type { LayerInput, Memory } from './types.ts';

const config = {
	architectures: ['LlamaForCausalLM'], vocab_size: 258, hidden_size: 24, intermediate_size: 20, num_hidden_layers: 2,
	num_attention_heads: 4, num_key_value_heads: 2, head_dim: 8, max_position_embeddings: 320, rope_theta: 50000
};
let model: LoadedModel;
beforeAll(async () => { model = await loadModel(randomLlama(config, HF_RANDOM), await openBackend('wasm')); });
afterAll(() => model.dispose());

/** A memory that also notes what the layers handed over. */
class Noting implements Memory {
	readonly notes: { layer: number; key: Float32Array; before: Float32Array | null }[] = [];
	constructor(private readonly inner: PlainMemory) {}
	wantsKeyBefore(layer: number): boolean { return layer === 1; }
	async attend(input: LayerInput): Promise<tf.Tensor> {
		const before = input.keyBefore ? ((await read(input.keyBefore)) as Float32Array) : null;
		this.notes.push({ layer: input.layer, key: (await read(input.key)) as Float32Array, before });
		return this.inner.attend(input);
	}
}

describe('the decoder', () => {
	it('hands over keys before rotation of the layers that are asked for', async () => {
		const inner = new PlainMemory(model.shape, 2, 8);
		const memory = new Noting(inner);
		const { logits } = await model.decoder.forward(Int32Array.of(3, 4, 5, 6, 7, 8), { batch: 2, tokens: 3, start: Int32Array.of(0, 100) }, memory);
		expect(memory.notes.map(({ before }) => before !== null)).toEqual([false, true]);
		const { key, before } = memory.notes[1];
		const positions = [0, 1, 2, 0, 1, 2, 100, 101, 102, 100, 101, 102];
		const turned = rotation(model.decoder.invFreq).rotate(before!, positions, 8);
		turned.forEach((x, i) => expect(Math.abs(x - key[i])).toBeLessThan(1e-5));
		inner.dispose();
		logits.dispose();
	});

	it('does not mix the rows of a batch', async () => {
		const run = async (ids: number[], batch: number) => {
			const memory = new PlainMemory(model.shape, batch, 4);
			const { logits } = await model.decoder.forward(Int32Array.from(ids), { batch, tokens: 4, start: new Int32Array(batch) }, memory);
			const numbers = (await read(logits)) as Float32Array;
			memory.dispose();
			logits.dispose();
			return numbers;
		};
		const both = await run([2, 3, 4, 5, 9, 8, 7, 6], 2);
		const second = await run([9, 8, 7, 6], 1);
		second.forEach((x, i) => expect(Math.abs(both[258 + i] - x)).toBeLessThan(1e-5));
	});

	it('reads one block after another as one text', async () => {
		const ids = Array.from({ length: 12 }, (_, i) => 2 + i * 5);
		const expected = (await prefillLogits(model.decoder, ids)).slice(-258);
		const memory = new PlainMemory(model.shape, 1, 12);
		let last: Float32Array = new Float32Array();
		for (const [from, to] of [[0, 5], [5, 6], [6, 12]]) {
			const { logits } = await model.decoder.forward(Int32Array.from(ids.slice(from, to)), { batch: 1, tokens: to - from, start: Int32Array.of(from) }, memory);
			last = (await read(logits)) as Float32Array;
			logits.dispose();
		}
		memory.dispose();
		expected.forEach((x, i) => expect(Math.abs(last[i] - x)).toBeLessThan(1e-5));
	});

	it('says what is wrong with a text that is too long', async () => {
		const memory = new PlainMemory(model.shape, 1, 2);
		const run = (ids: number[], start: number) =>
			model.decoder.forward(Int32Array.from(ids), { batch: 1, tokens: ids.length, start: Int32Array.of(start) }, memory);
		await expect(run(new Array<number>(321).fill(5), 0)).rejects.toThrow(RangeError);
		await expect(run([5, 5], 319)).rejects.toThrow('The text takes 321 tokens, but this model was made for at most 320. Shorten the text or generate fewer tokens, or choose a model with a longer context.');
		await expect(run([258], 0)).rejects.toThrow('Token 258 is not in the vocabulary of 258.');
		memory.dispose();
	});

	it('leaves nothing behind when the memory fails', async () => {
		const before = tf.memory().numTensors;
		const failing: Memory = { attend: () => { throw new Error('full'); } };
		await expect(model.decoder.forward(Int32Array.of(1), { batch: 1, tokens: 1, start: Int32Array.of(0) }, failing)).rejects.toThrow('full');
		const rejecting: Memory = { attend: async () => { throw new Error('full'); } };
		await expect(model.decoder.forward(Int32Array.of(1), { batch: 1, tokens: 1, start: Int32Array.of(0) }, rejecting)).rejects.toThrow('full');
		expect(tf.memory().numTensors).toBe(before);
	});

	it('keeps the number of tensors and bytes flat over 300 steps', async () => {
		await decodeLogits(model.decoder, [2, 3], 2);
		const before = tf.memory();
		await decodeLogits(model.decoder, Array.from({ length: 300 }, (_, i) => i % 258), 2);
		expect(tf.memory()).toMatchObject({ numTensors: before.numTensors, numBytes: before.numBytes, numDataBuffers: before.numDataBuffers });
	});
});
