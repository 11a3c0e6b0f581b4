import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Inputs } from '../kernel.ts';
import { flat, runProgram } from '../program.ts';
import { TWO_U } from './stock.ts';

export function webgpu(backend: WebGPUBackend, { x }: Inputs): TensorInfo {
	const size = x.shape.reduce((a, b) => a * b, 1);
	return runProgram(backend, flat({
		key: 'gelu',
		inputs: [['x', x]],
		result: x.shape,
		size,
		body: () => `
	let v = x[i];
	result[i] = v / (1.0 + exp(-v * (${TWO_U[0]} + ${TWO_U[1]} * v * v)));`
	}));
}
