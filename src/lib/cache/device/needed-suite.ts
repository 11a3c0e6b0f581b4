/** The memory estimate against what is really allocated, on one backend. */
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { EngineInfo } from '$lib/documents/trace.ts';
import { readConfig } from '$lib/model/config.ts';
import { memoryNeeded } from '$lib/model/memory.ts';
import { decoderOf, SMALL, sourceOf, storedOf } from '$lib/model/testing.ts';
import { rotation } from '$lib/numerics/rope.ts';
import { openBackend } from '$lib/ops/index.ts';
import { ArmCache } from '../arm-cache.ts';
import { DeviceMemory } from './memory.ts';
import { PrefillMemory, type Captured } from './prefill.ts';

const PROMPT = 40;
const CONTEXT = 56;

export function neededSuite(backend: EngineInfo['backend']): void {
	describe.each(Object.entries(SMALL))(`memory of %s on ${backend}`, (_, json) => {
		beforeAll(async () => { await openBackend(backend); });

		it('is what the estimate says', async () => {
			const config = readConfig(json);
			const decoder = await decoderOf(sourceOf(await storedOf(json)), config);
			const ids = Int32Array.from({ length: PROMPT }, (_, i) => (i * 37) % 258);
			const before = tf.memory().numBytes;
			let captured: Captured | undefined;
			const { peakBytes } = await tf.profile(async () => {
				const memory = new PrefillMemory(decoder.shape, PROMPT);
				(await decoder.forward(ids, memory.pass(), memory)).logits.dispose();
				captured = await memory.finish();
				return [];
			});
			// What wasm copies and the embedding on the CPU are no tensors: asking for no tokens leaves just them.
			const working = (tokens: number) => memoryNeeded(config, 'f32', { rows: 0, context: tokens, backend, embedding: 0 }).working;
			const share = (peakBytes - before) / (working(PROMPT) - working(0));
			expect(share).toBeLessThanOrEqual(1);
			expect(share).toBeGreaterThan(0.5);

			const { layers } = captured!;
			const whole = ArmCache.fromPrompt({
				shape: decoder.shape, n: PROMPT, rope: rotation(decoder.invFreq), keys: (layer) => layers[layer].keys, values: (layer) => layers[layer].values
			});
			const device = new DeviceMemory([whole, whole.fork(), whole.fork()], CONTEXT);
			const onDevice = tf.memory().numBytes - before;
			// The exact numbers on the CPU grow from those of the prompt to those of the whole text.
			const onCpu = layers.reduce((sum, { keys, values }) => sum + keys.byteLength + values.byteLength, 0) * (CONTEXT / PROMPT);
			expect(memoryNeeded(config, 'f32', { rows: 3, context: CONTEXT, backend }).cache).toBe(onDevice + onCpu);
			device.dispose();
			decoder.dispose();
		});
	});
}
