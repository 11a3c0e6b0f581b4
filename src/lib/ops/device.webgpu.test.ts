import * as tf from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from './backend.ts';
import { persistent, read, releaseFreed } from './buffers.ts';
import { deviceErrors, throwDeviceErrors } from './errors.ts';
import { runProgram } from './program.ts';
import { topK } from './top-k/index.ts';

const backend = () => tf.backend() as unknown as WebGPUBackend;
const bytes = () => (tf.memory() as unknown as { numBytesAllocatedInGPU: number }).numBytesAllocatedInGPU;

describe('the device', () => {
	beforeAll(async () => { await openBackend('webgpu'); });

	it('reports a kernel that does not compile at the next read', async () => {
		const x = tf.tensor([1, 2]);
		const broken = tf.engine().makeTensorFromTensorInfo(runProgram(backend(), {
			key: 'broken', inputs: [['x', x]], result: [2], groups: [1, 1, 1], threads: 1, code: () => 'fn main() { result[0] = nonsense; }'
		}));
		await expect(read(broken)).rejects.toThrow(/The graphics device reported: .*nonsense/s);
		expect(deviceErrors()).toEqual([]);
		expect(() => throwDeviceErrors()).not.toThrow();
		tf.dispose([x, broken]);
	});

	it('gives freed buffers back and goes on working', async () => {
		const kept = persistent([64]);
		const before = bytes();
		persistent([100_000]).dispose();
		await read(kept);
		expect(bytes()).toBeGreaterThan(before);
		releaseFreed();
		expect(bytes()).toBeLessThanOrEqual(before);
		expect(Array.from(await read(kept))).toEqual(new Array<number>(64).fill(0));
		kept.dispose();
	});

	it('opens a new device after the old one was lost', async () => {
		const { device } = backend();
		device.destroy();
		await device.lost;
		await openBackend('webgpu');
		expect(backend().device).not.toBe(device);
		const x = tf.tensor2d([[1, 3, 2]]);
		const { values, indices } = topK(x, 2);
		expect(Array.from(await read(values))).toEqual([3, 2]);
		tf.dispose([x, values, indices]);
	});
});
