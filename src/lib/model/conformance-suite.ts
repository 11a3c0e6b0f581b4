/** The tests against Hugging Face, to be run on one backend. */
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EngineInfo } from '$lib/documents/trace.ts';
import { openBackend } from '$lib/ops/index.ts';
import { decodeLogits, floats, prefillLogits, relativeError } from './conformance.ts';
import { loadModel, type LoadedModel } from './load.ts';
import { HF_RANDOM, randomLlama } from './random-llama.ts';

export const reference = (file: string) => JSON.parse(readFileSync(`conformance/${file}`, 'utf8'));

export function againstHuggingFace(backend: EngineInfo['backend']): void {
	describe(`a random Llama on ${backend}`, () => {
		const { config, ids, logits } = reference('hf-random.json');
		const expected = floats(logits);
		let model: LoadedModel;

		beforeAll(async () => {
			model = await loadModel(randomLlama(config, HF_RANDOM), await openBackend(backend));
		});
		afterAll(() => model?.dispose());

		it('prefills to the same logits', async () => {
			expect(relativeError(await prefillLogits(model.decoder, ids), expected)).toBeLessThan(1e-4);
		});

		it('decodes token by token to the same logits, in every row of a batch, and as prefill does', async () => {
			const prefilled = await prefillLogits(model.decoder, ids);
			for (const row of await decodeLogits(model.decoder, ids, 3)) {
				expect(relativeError(row, expected)).toBeLessThan(1e-4);
				expect(relativeError(row, prefilled)).toBeLessThan(1e-5);
			}
		});

		it('leaves no tensor behind', async () => {
			const before = tf.memory().numTensors;
			await decodeLogits(model.decoder, ids.slice(0, 4), 2);
			await prefillLogits(model.decoder, ids);
			expect(tf.memory().numTensors).toBe(before);
		});
	});
}
