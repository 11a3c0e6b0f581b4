/** The tests against Hugging Face, to be run on one backend. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EngineInfo } from '$lib/documents/trace.ts';
import { openBackend } from '$lib/ops/index.ts';
import { decodeLogits, floats, prefillLogits, relativeError } from './conformance.ts';
import { loadModel, type LoadedModel } from './load.ts';
import { HF_RANDOM, randomLlama } from './random-llama.ts';

export const reference = (file: string) => JSON.parse(readFileSync(`conformance/${file}`, 'utf8'));

interface Reference {
	config: Record<string, unknown>;
	ids: number[];
	/** [ids, vocab], base64 of float32. */
	logits: string;
}

function againstReference(title: string, backend: EngineInfo['backend'], { config, ids, logits }: Reference): void {
	describe(title, () => {
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
			const rows = await decodeLogits(model.decoder, ids, 3);
			expect(relativeError(rows[0], expected)).toBeLessThan(1e-4);
			expect(relativeError(rows[0], prefilled)).toBeLessThan(1e-5);
			// An arm that does nothing must be the reference to the last bit.
			expect(rows[1]).toEqual(rows[0]);
			expect(rows[2]).toEqual(rows[0]);
		});

		it('leaves no tensor behind', async () => {
			const before = tf.memory().numTensors;
			await decodeLogits(model.decoder, ids.slice(0, 4), 2);
			await prefillLogits(model.decoder, ids);
			expect(tf.memory().numTensors).toBe(before);
		});
	});
}

export function againstHuggingFace(backend: EngineInfo['backend']): void {
	againstReference(`a random Llama on ${backend}`, backend, reference('hf-random.json'));
	for (const [name, model] of Object.entries<Reference>(reference('hf-architectures.json').models)) {
		againstReference(`a random model of ${name} on ${backend}`, backend, model);
	}

	const folder = 'static/models/nano';
	describe.runIf(existsSync(`${folder}/model.safetensors`))(`nano on ${backend}`, () => {
		let model: LoadedModel;
		beforeAll(async () => {
			const digest = createHash('sha256').update(readFileSync(`${folder}/model.safetensors`)).digest('hex');
			expect(reference('hf-nano.json').sha256, 'nano has changed: run conformance/hf_reference.py again').toBe(digest);
			model = await loadModel(folder, await openBackend(backend));
		});
		afterAll(() => model?.dispose());

		it('tokenizes and computes as transformers does', async () => {
			const { prompts, columns } = reference('hf-nano.json');
			const { vocab } = model.shape;
			const agree = (logits: Float32Array, { ids, last, some }: { ids: number[]; last: string; some: string }) => {
				expect(relativeError(logits.slice(-vocab), floats(last))).toBeLessThan(1e-4);
				const at = ids.flatMap((_, t) => columns.map((column: number) => logits[t * vocab + column]));
				expect(relativeError(at, floats(some))).toBeLessThan(1e-4);
			};
			for (const [i, prompt] of prompts.entries()) {
				expect(Array.from(model.tokenizer.encode(prompt.text))).toEqual(prompt.ids);
				const prefilled = await prefillLogits(model.decoder, prompt.ids);
				agree(prefilled, prompt);
				if (i > 0) continue;
				const [decoded] = await decodeLogits(model.decoder, prompt.ids);
				agree(decoded, prompt);
				expect(relativeError(decoded, prefilled)).toBeLessThan(1e-5);
			}
		});

		// Elsewhere it takes too long for a test.
		it.runIf(backend === 'wasm')('agrees at far positions', async () => {
			const { long, columns } = reference('hf-nano.json');
			const { vocab } = model.shape;
			const logits = await prefillLogits(model.decoder, long.ids);
			const actual: number[] = [];
			for (let t = 0; t < long.ids.length; t += long.every) actual.push(...columns.map((column: number) => logits[t * vocab + column]));
			expect(relativeError(actual, floats(long.some))).toBeLessThan(1e-4);
		});
	});
}
