import type { Tensor } from '@tensorflow/tfjs-core';
import { hostView } from '../buffers.ts';
import type { Attrs, Inputs } from '../kernel.ts';

/** No stock op writes in place, so this goes through the tensor's own memory. */
export function stock({ cache, source }: Inputs, attrs: Attrs): Tensor[] {
	const at = attrs.at as Int32Array;
	const [, , capacity, headDim] = cache.shape;
	const tokens = (source.shape as number[])[2];
	const from = hostView(source);
	const to = hostView(cache);
	for (let row = 0; row < at.length; row++) {
		const block = from.subarray(row * tokens * headDim, (row + 1) * tokens * headDim);
		to.set(block, (row * capacity + at[row]) * headDim);
	}
	return [];
}
