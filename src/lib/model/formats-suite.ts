/** Weights in every format against float32 weights that were rounded to it beforehand, on one backend. */
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { EngineInfo } from '$lib/documents/trace.ts';
import { openBackend, transposed } from '$lib/ops/index.ts';
import { pack, unpack, type WeightFormat } from '$lib/ops/mat-mul/formats.ts';
import { checkpointOf } from './checkpoint.ts';
import { readConfig } from './config.ts';
import { decodeLogits, prefillLogits, relativeError } from './conformance.ts';
import { memoryNeeded } from './memory.ts';
import { toFloat32, type StoredTensor } from './stored.ts';
import { decoderOf, projectionsOf, SMALL, sourceOf, storedOf, type Stored } from './testing.ts';
import { placeWeights } from './weights.ts';

const IDS = [5, 250, 17, 99, 3, 3, 180, 42, 64, 7];

/** The same network with its products rounded to the format, and a head of its own; the embedding stays. */
function roundedTo(format: Exclude<WeightFormat, 'f32'>, stored: Stored, json: Record<string, unknown>): { stored: Stored; json: Record<string, unknown> } {
	const untied = { ...json, tie_word_embeddings: false };
	const checkpoint = checkpointOf(readConfig(untied));
	const all: Stored = new Map(stored);
	all.set('lm_head.weight', { ...stored.get(stored.has('lm_head.weight') ? 'lm_head.weight' : checkpoint.embedding)!, name: 'lm_head.weight' });
	const round = (tensor: StoredTensor, inputsFirst: boolean): StoredTensor => {
		const [rows, columns] = tensor.shape;
		const numbers = inputsFirst ? transposed(toFloat32(tensor), rows, columns) : toFloat32(tensor);
		const rounded = unpack(pack(numbers, inputsFirst ? rows : columns, format), format);
		return { ...tensor, bytes: new Uint8Array((inputsFirst ? transposed(rounded, columns, rows) : rounded).buffer) };
	};
	for (const { parts, inputsFirst } of [...projectionsOf(readConfig(untied)), checkpoint.head!]) {
		for (const { weight } of parts) all.set(weight, round(all.get(weight)!, inputsFirst));
	}
	return { stored: all, json: untied };
}

export function formatsSuite(backend: EngineInfo['backend']): void {
	describe.each(Object.entries(SMALL))(`%s with packed weights on ${backend}`, (_, json) => {
		let stored: Stored;
		let exact: Float32Array;
		beforeAll(async () => {
			await openBackend(backend);
			stored = await storedOf(json);
			const decoder = await decoderOf(sourceOf(stored), readConfig(json));
			exact = await prefillLogits(decoder, IDS);
			decoder.dispose();
		});

		it.each(['f16', 'int8', 'int4'] as const)('%s gives the logits of the rounded network', async (format) => {
			const rounded = roundedTo(format, stored, json);
			const [packed, expected] = [
				await decoderOf(sourceOf(stored), readConfig(json), { format }), await decoderOf(sourceOf(rounded.stored), readConfig(rounded.json))
			];
			const logits = await prefillLogits(expected, IDS);
			expect(relativeError(await prefillLogits(packed, IDS), logits)).toBeLessThan(1e-4);
			expect(relativeError((await decodeLogits(packed, IDS, 2))[1], logits)).toBeLessThan(1e-4);
			// Rounded at all, and the more the fewer bits there are.
			expect(relativeError(logits, exact)).toBeGreaterThan({ f16: 1e-6, int8: 1e-4, int4: 1e-2 }[format]);
			packed.dispose();
			expected.dispose();
		});
	});

	describe(`memoryNeeded on ${backend}`, () => {
		beforeAll(async () => { await openBackend(backend); });
		// A width of 48 fits no group of 32.
		const models = { ...SMALL, 'Llama of width 48': { ...SMALL.Llama, hidden_size: 48, tie_word_embeddings: false, mlp_bias: true } };

		it.each(Object.entries(models))('says the bytes of weights of %s', async (_, json) => {
			const stored = await storedOf(json);
			const config = readConfig(json);
			for (const format of ['f32', 'f16', 'int8', 'int4'] as const) {
				const before = tf.memory().numBytes;
				const weights = await placeWeights(sourceOf(stored), config, { format });
				const { weights: bytes, largest } = memoryNeeded(config, format, { rows: 1, context: 1, backend });
				expect(bytes).toBe(tf.memory().numBytes - before);
				expect(largest).toBe(Math.max(...weights.tensors.map(({ size }) => 4 * size)));
				tf.dispose(weights.tensors);
				expect(tf.memory().numBytes).toBe(before);
			}
		});
	});
}

