/** Whatever a method does, a long run holds no more memory at its end than at its beginning. */
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import type { EngineInfo } from '$lib/documents/trace.ts';
import { methods } from '$lib/methods/registry.ts';
import { experiment, inRuns, TINY, tinyLab, tinySpec } from './testing.ts';

/** Every method, and four that store, evict and encode in different ways for longer. */
const RUNS: [steps: number, ids: string[]][] = [
	...inRuns([...methods.keys()]).map((ids): [number, string[]] => [300, ids]),
	[1000, ['streaming-llm', 'h2o', 'rtn', 'decoding-press']]
];

interface Memory {
	tensors: number;
	bytes: number;
	/** Allocated on the device; 0 without one. */
	device: number;
}

function memory(): Memory {
	const { numTensors, numBytes, numBytesAllocatedInGPU = 0 } = tf.memory() as tf.MemoryInfo & { numBytesAllocatedInGPU?: number };
	return { tensors: numTensors, bytes: numBytes, device: numBytesAllocatedInGPU };
}

export function flatSuite(backend: EngineInfo['backend']): void {
	it.each(RUNS)(`tensors and bytes are flat over %d steps on ${backend} with %s`, async (steps, ids) => {
		const lab = await tinyLab(backend, { ...TINY, num_hidden_layers: 1, max_position_embeddings: 1200 });
		const before = memory();
		const run = await lab.start(experiment({
			arms: ids.map((method) => ({ stack: [tinySpec(method)] })),
			forced: { tokens: Array.from({ length: steps + 20 }, (_, i) => 2 + ((i * 29) % 250)) }
		}), { record: true });
		// The first steps compile kernels and fill the pool of buffers.
		await run.advance(20);
		const early = memory();
		await run.advance(steps / 2);
		// By now every method has done all that it does: the device's pool has a buffer of each size.
		const { device } = memory();
		await run.advance(steps / 2);
		expect(run.trace.done).toBe(true);
		const late = memory();
		expect(late.tensors).toBe(early.tensors);
		expect(late.bytes).toBe(early.bytes);
		expect(late.device).toBeLessThanOrEqual(device);
		run.dispose();
		expect(memory().tensors).toBe(before.tensors);
		lab.dispose();
		// Seconds of work; the limit is for machines that many share.
	}, 900_000);
}
