import * as tf from '@tensorflow/tfjs-core';
import { isFew } from '../few.ts';
import type { Attrs, Inputs } from '../kernel.ts';
import { hostRmsNorm } from './host.ts';

export function stock({ x, weight }: Inputs, { eps }: Attrs): tf.Tensor {
	return isFew(x) ? hostRmsNorm(x, weight, eps as number) : composed(x, weight, eps as number);
}

/** Stock ops alone. */
export function composed(x: tf.Tensor, weight: tf.Tensor, eps: number): tf.Tensor {
	const meanSquare = tf.mean(tf.square(x), -1, true);
	return tf.mul(tf.mul(x, tf.rsqrt(tf.add(meanSquare, eps))), weight);
}
