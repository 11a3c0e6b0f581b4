import type { Tensor } from '@tensorflow/tfjs-core';
import { hostView } from '../buffers.ts';
import type { Attrs, Inputs } from '../kernel.ts';

/** No stock op writes in place, so this goes through the tensor's own memory. */
export function stock({ cacheK, cacheV, k, v, bias }: Inputs, attrs: Attrs): Tensor[] {
	const at = attrs.at as Int32Array;
	place(cacheK, k, at);
	place(cacheV, v, at);
	if (bias) {
		const [, , capacity] = cacheK.shape;
		const tokens = (k.shape as number[])[2];
		at.forEach((first, row) => hostView(bias).fill(0, row * capacity + first, row * capacity + first + tokens));
	}
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
