/** Helpers of the op suites: numbers from seeds, runs on a named backend, comparison. For tests. */
import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import { random } from '$lib/numerics/random.ts';
import { openBackend, type Preferred } from './backend.ts';
import { read, type Numbers } from './buffers.ts';

export interface Block {
	data: Float32Array;
	shape: number[];
}

/** Standard normal numbers, always the same for a seed. */
export function normal(seed: string, ...shape: number[]): Block {
	const stream = random(seed);
	return { shape, data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => stream.normal()) };
}

export const tensor = ({ data, shape }: Block) => tf.tensor(data.slice(), shape);

/** Opens `backend`, builds tensors, reads them and disposes everything that was made meanwhile. */
export async function numbersOn(backend: Preferred, build: () => tf.Tensor[]): Promise<Numbers[]> {
	await openBackend(backend);
	const before = tf.memory().numTensors;
	tf.engine().startScope();
	try {
		const numbers: Numbers[] = [];
		for (const result of build()) numbers.push(await read(result));
		return numbers;
	} finally {
		tf.engine().endScope();
		expect(tf.memory().numTensors, 'tensors left behind').toBe(before);
	}
}

/** Largest difference at most `tolerance` x largest number expected. */
export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 2e-6): void {
	expect(actual.length).toBe(expected.length);
	let difference = 0;
	let largest = 1e-30;
	for (let i = 0; i < expected.length; i++) {
		const d = Math.abs(actual[i] - expected[i]);
		difference = Number.isNaN(d) ? Infinity : Math.max(difference, d);
		largest = Math.max(largest, Math.abs(expected[i]));
	}
	expect(difference / largest).toBeLessThanOrEqual(tolerance);
}

/**
 * Runs on `backend`, compares with float64 numbers worked out apart, and on WebGPU also with the
 * stock twin on the CPU.
 */
export async function check(backend: Preferred, build: () => tf.Tensor[], expected: ArrayLike<number>[], tolerance?: number): Promise<void> {
	const actual = await numbersOn(backend, build);
	expect(actual.length).toBe(expected.length);
	actual.forEach((numbers, i) => expectClose(numbers, expected[i], tolerance));
	if (backend !== 'webgpu') return;
	const twin = await numbersOn('cpu', build);
	actual.forEach((numbers, i) => expectClose(numbers, twin[i], tolerance));
}
