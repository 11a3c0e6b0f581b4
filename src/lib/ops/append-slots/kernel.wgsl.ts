import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { forget } from '../buffers.ts';
import type { Attrs, Inputs } from '../kernel.ts';
import { flatGroups, flatIndex, integers, runProgram } from '../program.ts';

const THREADS = 64;

export function webgpu(backend: WebGPUBackend, { cache, source }: Inputs, attrs: Attrs): TensorInfo[] {
	const [, , capacity, headDim] = cache.shape;
	const block = (source.shape as number[])[2] * headDim;
	const at = integers(backend, attrs.at as Int32Array);
	const size = at.shape[0] * block;
	runProgram(backend, {
		key: 'append',
		inputs: [['source', source], ['at', at]],
		result: cache,
		ints: { block, stride: capacity * headDim, headDim, size },
		groups: flatGroups(size, THREADS),
		threads: THREADS,
		code: `
fn main() {
	let i = ${flatIndex(THREADS)};
	if (i >= uniforms.size) { return; }
	let row = i / uniforms.block;
	result[row * uniforms.stride + at[row] * uniforms.headDim + i % uniforms.block] = source[i];
}`
	});
	backend.disposeData(at.dataId);
	forget(cache);
	return [];
}
