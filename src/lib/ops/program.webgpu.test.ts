import * as tf from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { openBackend } from './backend.ts';
import { persistentFrom, read } from './buffers.ts';
import { deviceErrors } from './errors.ts';
import { runProgram } from './program.ts';

/** x + a + list[0], with `a` a uniform and the list small. */
function plus(x: tf.Tensor, a: number, list: number[]): tf.Tensor {
	const info = runProgram(tf.backend() as unknown as WebGPUBackend, {
		key: 'test_plus', inputs: [['x', x], ['list', Int32Array.from(list)]], result: x.shape, ints: { a }, floats: { half: 0.5 }, groups: [1, 1, 1], threads: 4,
		code: () => 'fn main() { let i = localId.x; result[i] = x[i] + f32(uniforms.a + list[0]) + uniforms.half; }'
	});
	return tf.engine().makeTensorFromTensorInfo(info);
}

describe('running a kernel', () => {
	beforeAll(async () => { await openBackend('webgpu'); });
	afterEach(() => vi.restoreAllMocks());

	it('keeps what a recorded command waits for, however many wait', async () => {
		tf.env().set('WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE', 1000);
		const x = persistentFrom(Float32Array.of(1, 2, 3, 4), [4]);
		try {
			const results = Array.from({ length: 60 }, (_, a) => plus(x, a, [1000 * a, ...new Array<number>(a).fill(7)]));
			for (const [a, result] of results.entries()) expect(Array.from(await read(result))).toEqual([1, 2, 3, 4].map((v) => v + 1001 * a + 0.5));
			tf.dispose(results);
		} finally {
			tf.env().set('WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE', 15);
			x.dispose();
		}
		expect(deviceErrors()).toEqual([]);
	});

	it('makes no buffer and no bind group for numbers that change from step to step', async () => {
		const { device } = tf.backend() as unknown as WebGPUBackend;
		const x = persistentFrom(Float32Array.of(0, 1, 0, 1), [4]);
		const step = async (a: number) => {
			// Other numbers than above: those are still at hand.
			const once = plus(x, 1000 + a, [a, a + 1]);
			const twice = plus(once, 3, [5]);
			expect(Array.from(await read(twice))).toEqual([0, 1, 0, 1].map((v) => v + 2 * a + 1009));
			tf.dispose([once, twice]);
		};
		for (let a = 0; a < 30; a++) await step(a);
		const made = [vi.spyOn(device, 'createBuffer'), vi.spyOn(device, 'createBindGroup'), vi.spyOn(device, 'createComputePipeline')];
		for (let a = 30; a < 60; a++) await step(a);
		expect(made.map(({ mock }) => mock.calls.length)).toEqual([0, 0, 0]);
		expect(deviceErrors()).toEqual([]);
		x.dispose();
	});
});
