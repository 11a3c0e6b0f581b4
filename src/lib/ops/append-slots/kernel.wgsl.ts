import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { forget } from '../buffers.ts';
import type { Attrs, Inputs } from '../kernel.ts';
import { coordinates, flatGroups, flatIndex, runProgram } from '../program.ts';

const THREADS = 64;

export function webgpu(backend: WebGPUBackend, { cache, source }: Inputs, attrs: Attrs): TensorInfo[] {
	const [, , capacity, headDim] = cache.shape;
	const at = attrs.at as Int32Array;
	const { size } = source;
	runProgram(backend, {
		key: 'append',
		inputs: [['source', source], ['at', at]],
		result: cache,
		ints: { tokens: (source.shape as number[])[2], capacity, headDim, size },
		groups: flatGroups(size, THREADS),
		threads: THREADS,
		code: () => `
fn main() {
	let i = ${flatIndex(THREADS)};
	if (i >= uniforms.size) { return; }
	${coordinates('i', 'row', ['t', 'uniforms.tokens'], ['c', 'uniforms.headDim'])}
	result[(row * uniforms.capacity + at[row] + t) * uniforms.headDim + c] = source[i];
}`
	});
	forget(cache);
	return [];
}
