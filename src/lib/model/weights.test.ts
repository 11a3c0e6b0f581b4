import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '$lib/ops/index.ts';
import { weightCount } from './checkpoint.ts';
import { readConfig } from './config.ts';
import { prefillLogits } from './conformance.ts';
import { toFloat32 } from './stored.ts';
import { decoderOfJson, SMALL, sourceOf, storedOf } from './testing.ts';
import { placeWeights } from './weights.ts';

const models = Object.entries(SMALL);
const gpt2 = SMALL['GPT-2'];

describe('placeWeights', () => {
	beforeAll(async () => { await openBackend('cpu'); });

	it.each(models)('reads every tensor of %s once, counts its weights, and frees all', async (_, json) => {
		const before = tf.memory();
		const reads: string[] = [];
		const stored = await storedOf(json);
		const weights = await placeWeights(sourceOf(stored, (name) => reads.push(name)), readConfig(json));
		expect(reads.toSorted()).toEqual([...stored.keys()].toSorted());
		expect(weights.count).toBe([...stored.values()].reduce((sum, { bytes }) => sum + bytes.length / 4, 0));
		expect(weightCount(readConfig(json))).toBe(weights.count);
		tf.dispose(weights.tensors);
		expect(tf.memory()).toMatchObject({ numTensors: before.numTensors, numBytes: before.numBytes });
	});

	it.each(models)('gives the projections of %s back, outputs first', async (_, json) => {
		const stored = await storedOf(json);
		const decoder = await decoderOfJson(stored, json);
		for (const [i, name] of (['q_proj', 'k_proj', 'v_proj', 'o_proj'] as const).entries()) {
			const found = await decoder.weight(name, 1);
			const whole = stored.get(`model.layers.1.self_attn.${name}.weight`);
			if (whole) expect(found).toEqual(toFloat32(whole));
			else {
				const fused = name !== 'o_proj';
				const numbers = toFloat32(stored.get(`transformer.h.1.attn.${fused ? 'c_attn' : 'c_proj'}.weight`)!);
				const columns = fused ? 192 : 64;
				const expected = Float32Array.from({ length: 64 * 64 }, (_, at) => numbers[(at % 64) * columns + (fused ? 64 * i : 0) + Math.floor(at / 64)]);
				expect(found).toEqual(expected);
			}
		}
		decoder.dispose();
	});

	it.each(models)('finds the tensors of a bare %s, whose names lack the first part', async (_, json) => {
		const stored = await storedOf(json);
		const bare = new Map([...stored].map(([name, tensor]) => [name.replace(/^(model|transformer)\./, ''), tensor]));
		const [whole, other] = [await decoderOfJson(stored, json), await decoderOfJson(bare, json)];
		expect(await prefillLogits(other, [1, 5, 9])).toEqual(await prefillLogits(whole, [1, 5, 9]));
		whole.dispose();
		other.dispose();
	});

	it('refuses what does not fit before anything is read', async () => {
		const stored = await storedOf(gpt2);
		const place = (config: object) => placeWeights(sourceOf(stored, () => { throw new Error('read'); }), readConfig({ ...gpt2, ...config }));
		await expect(place({ n_layer: 3 })).rejects.toThrow('The weights have no tensor transformer.h.2.ln_1.weight, which a GPT2 model of 3 layers needs.');
		await expect(place({ n_layer: Number.MAX_SAFE_INTEGER })).rejects.toThrow('The weights have no tensor transformer.h.2.ln_1.weight');
		await expect(place({ n_positions: 2 ** 50 })).rejects.toThrow('transformer.wpe.weight has shape 64 x 64, but config.json asks for 1125899906842624 x 64.');
		await expect(place({ tie_word_embeddings: false })).rejects.toThrow('The weights have no tensor lm_head.weight');
	});

	it('stops when aborted, and leaves nothing behind', async () => {
		const stored = await storedOf(SMALL.Llama);
		const before = tf.memory().numTensors;
		const abort = new AbortController();
		const source = sourceOf(stored, (name) => { if (name.includes('layers.1')) abort.abort(new Error('stop')); });
		await expect(placeWeights(source, readConfig(SMALL.Llama), { signal: abort.signal })).rejects.toThrow('stop');
		expect(tf.memory().numTensors).toBe(before);
	});
});
