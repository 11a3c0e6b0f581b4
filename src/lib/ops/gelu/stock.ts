import * as tf from '@tensorflow/tfjs-core';
import type { Inputs } from '../kernel.ts';

/** 2u = x (c0 + c1 x^2). */
export const TWO_U = [2 * Math.sqrt(2 / Math.PI), 2 * Math.sqrt(2 / Math.PI) * 0.044715];

export function stock({ x }: Inputs): tf.Tensor {
	const twoU = tf.mul(x, tf.add(tf.mul(tf.square(x), TWO_U[1]), TWO_U[0]));
	return tf.mul(x, tf.sigmoid(twoU));
}
