import type { Tensor } from '@tensorflow/tfjs-core';
import { hostView } from '../buffers.ts';
import type { Attrs, Inputs } from '../kernel.ts';

/** No stock op writes in place, so this goes through the tensor's own memory. */
export function stock({ cacheK, cacheV, k, v }: Inputs, attrs: Attrs): Tensor[] {
	place(cacheK, k, attrs.at as Int32Array);
	place(cacheV, v, attrs.at as Int32Array);
	return [];
}

function place(cache: Tensor, source: Tensor, at: Int32Array): void {
	const [, , capacity, headDim] = cache.shape;
	const tokens = (source.shape as number[])[2];
	const from = hostView(source);
	const to = hostView(cache);
	for (let row = 0; row < at.length; row++) {
		const block = from.subarray(row * tokens * headDim, (row + 1) * tokens * headDim);
		to.set(block, (row * capacity + at[row]) * headDim);
	}
}
