import * as tf from '@tensorflow/tfjs-core';
import type { Inputs } from '../kernel.ts';

/** `w` is [inputs, outputs] here. */
export function stock({ x, w, plus }: Inputs): tf.Tensor {
	const product = tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D);
	return plus ? tf.add(product, plus) : product;
}
