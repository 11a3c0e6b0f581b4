import * as tf from '@tensorflow/tfjs-core';
import type { Attrs, Inputs } from '../kernel.ts';

export function stock({ x }: Inputs, { k }: Attrs): tf.Tensor[] {
	const { values, indices } = tf.topk(x, k as number, true);
	return [values, indices];
}
