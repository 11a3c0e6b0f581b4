import * as tf from '@tensorflow/tfjs-core';
import type { Attrs, Inputs } from '../kernel.ts';
import { hostMatMul } from './host.ts';

/** Stock product on wasm ([inputs, outputs] weights), loops on cpu ([outputs, inputs]). */
export function stock({ x, w, plus }: Inputs, { rowMajorOutputs }: Attrs): tf.Tensor {
	return rowMajorOutputs && tf.getBackend() === 'cpu' ? hostMatMul(x, w, plus) : product(x, w, plus, rowMajorOutputs as boolean);
}

/** Stock ops alone. */
export function product(x: tf.Tensor, w: tf.Tensor, plus: tf.Tensor | undefined, rowMajorOutputs: boolean): tf.Tensor {
	const bare = tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D, false, rowMajorOutputs);
	return plus ? tf.add(bare, plus) : bare;
}
