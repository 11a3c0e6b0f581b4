/** The k largest of each row, best first; equal values in order of index. */
import type { Tensor } from '@tensorflow/tfjs-core';
import { registerOp, runOp } from '../kernel.ts';
import { stock } from './stock.ts';
import { webgpu } from './kernel.wgsl.ts';

registerOp({ name: 'WinnowTopK', webgpu, stock });

/** `x` [rows, width] -> values [rows, k] float32, indices [rows, k] int32. Throws RangeError if k > width. */
export function topK(x: Tensor, k: number): { values: Tensor; indices: Tensor } {
	if (k < 1 || k > (x.shape as number[])[1]) throw new RangeError(`cannot take the ${k} largest of ${(x.shape as number[])[1]}`);
	const [values, indices] = runOp<Tensor[]>('WinnowTopK', { x }, { k });
	return { values, indices };
}
