import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BLOCK, BLOCK_NUMBERS } from '$lib/ops/attention/online.wgsl.ts';
import { deviceErrors, dispatchCount, openBackend, setProfile } from '$lib/ops/index.ts';
import { decodeLogits } from './conformance.ts';
import { loadModel, type LoadedModel } from './load.ts';
import { HF_RANDOM, randomLlama } from './random-llama.ts';

const config = {
	architectures: ['LlamaForCausalLM'], vocab_size: 258, hidden_size: 24, intermediate_size: 20, num_hidden_layers: 2,
	num_attention_heads: 4, num_key_value_heads: 2, head_dim: 8, max_position_embeddings: 320
};

describe('the decoder on webgpu', () => {
	let model: LoadedModel;
	beforeAll(async () => { model = await loadModel(randomLlama(config, HF_RANDOM), await openBackend('webgpu')); });
	afterAll(() => model.dispose());

	it('keeps tensors and bytes of the device flat over 300 steps', async () => {
		const ids = Array.from({ length: 300 }, (_, i) => i % 258);
		// The first run takes what is then used again.
		await decodeLogits(model.decoder, ids.slice(0, 20), 2);
		const memory = () => tf.memory() as tf.MemoryInfo & { numBytesInGPU: number; numBytesAllocatedInGPU: number };
		const before = { ...memory() };
		await decodeLogits(model.decoder, ids, 2);
		const after = memory();
		expect(after.numTensors).toBe(before.numTensors);
		expect(after.numBytesInGPU).toBe(before.numBytesInGPU);
		// Freed buffers stay allocated by size; the longer cache of the second run is 305 slots once, and so are its scores (in blocks of
		// eight) of each of the two layers, which are submitted together.
		const cache = 2 * 2 * (2 * 2 * 305 * 8 * 4) + 2 * 2 * 305 * 4 + config.num_hidden_layers * 2 * config.num_attention_heads * Math.ceil(305 / BLOCK) * BLOCK_NUMBERS * 4;
		expect(after.numBytesAllocatedInGPU - before.numBytesAllocatedInGPU).toBeLessThanOrEqual(cache);
		expect(deviceErrors()).toEqual([]);
	});

	it.each([['gpu', 9], ['software', 10]] as const)('takes few dispatches a layer and 2 for the head (%s: %i)', async (profile, ofLayer) => {
		setProfile(profile);
		const before = dispatchCount();
		await decodeLogits(model.decoder, [5], 2);
		setProfile(null);
		expect(dispatchCount() - before).toBe(ofLayer * config.num_hidden_layers + 2);
	});
});
