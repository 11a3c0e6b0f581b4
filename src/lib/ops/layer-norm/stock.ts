import * as tf from '@tensorflow/tfjs-core';
import type { Attrs, Inputs } from '../kernel.ts';

export function stock({ x, weight, bias }: Inputs, { eps }: Attrs): tf.Tensor {
	const centred = tf.sub(x, tf.mean(x, -1, true));
	const variance = tf.mean(tf.square(centred), -1, true);
	return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, eps as number))), weight), bias);
}
