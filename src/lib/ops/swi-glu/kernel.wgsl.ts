import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Inputs } from '../kernel.ts';
import { flatGroups, flatIndex, runProgram } from '../program.ts';

const THREADS = 64;

export function webgpu(backend: WebGPUBackend, { gateUp }: Inputs): TensorInfo {
	const [rows, double] = gateUp.shape;
	const width = double / 2;
	return runProgram(backend, {
		key: 'swiglu',
		inputs: [['x', gateUp]],
		result: [rows, width],
		ints: { width, size: rows * width },
		groups: flatGroups(rows * width, THREADS),
		threads: THREADS,
		code: () => `
fn main() {
	let i = ${flatIndex(THREADS)};
	if (i >= uniforms.size) { return; }
	let base = (i / uniforms.width) * 2 * uniforms.width + i % uniforms.width;
	let gate = x[base];
	result[i] = gate / (1.0 + exp(-gate)) * x[base + uniforms.width];
}`
	});
}
