import * as tf from '@tensorflow/tfjs-core';
import type { Attrs, Inputs } from '../kernel.ts';

export function stock({ x, weight }: Inputs, { eps }: Attrs): tf.Tensor {
	const meanSquare = tf.mean(tf.square(x), -1, true);
	return tf.mul(tf.mul(x, tf.rsqrt(tf.add(meanSquare, eps as number))), weight);
}
