import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { forget } from '../buffers.ts';
import type { Attrs, Inputs } from '../kernel.ts';
import { coordinates, flat, runForResults } from '../program.ts';

export function webgpu(backend: WebGPUBackend, { cacheK, cacheV, k, v, bias }: Inputs, attrs: Attrs): TensorInfo[] {
	const [, , capacity, headDim] = cacheK.shape;
	const at = attrs.at as Int32Array;
	const { size } = k;
	runForResults(backend, flat({
		key: `append_${bias ? 'shown' : 'plain'}`,
		inputs: [['k', k], ['v', v], ['at', at]],
		result: cacheK,
		more: [['values', cacheV], ...(bias ? [['bias', bias] as [string, TensorInfo]] : [])],
		ints: { tokens: (k.shape as number[])[2], capacity, headDim },
		size,
		body: () => `
	${coordinates('i', 'row', ['t', 'uniforms.tokens'], ['c', 'uniforms.headDim'])}
	let place = (row * uniforms.capacity + at[row] + t) * uniforms.headDim + c;
	result[place] = k[i];
	values[place] = v[i];
	${bias ? 'if (c == 0) { bias[row * uniforms.capacity + at[row] + t] = 0.0; }' : ''}`
	}));
	forget(cacheK);
	forget(cacheV);
	if (bias) forget(bias);
	return [];
}
