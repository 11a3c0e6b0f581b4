import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Inputs } from '../kernel.ts';
import { flat, runProgram } from '../program.ts';

export function webgpu(backend: WebGPUBackend, { gateUp }: Inputs): TensorInfo {
	const [rows, double] = gateUp.shape;
	const width = double / 2;
	return runProgram(backend, flat({
		key: 'swiglu',
		inputs: [['x', gateUp]],
		result: [rows, width],
		ints: { width },
		size: rows * width,
		body: () => `
	let base = (i / uniforms.width) * 2 * uniforms.width + i % uniforms.width;
	let gate = x[base];
	result[i] = gate / (1.0 + exp(-gate)) * x[base + uniforms.width];`
	}));
}
