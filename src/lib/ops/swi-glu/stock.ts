import * as tf from '@tensorflow/tfjs-core';
import { isFew } from '../few.ts';
import type { Inputs } from '../kernel.ts';
import { hostSwiGlu } from './host.ts';

export function stock({ gateUp }: Inputs): tf.Tensor {
	return isFew(gateUp) ? hostSwiGlu(gateUp) : composed(gateUp);
}

/** Stock ops alone. */
export function composed(gateUp: tf.Tensor): tf.Tensor {
	const [rows, double] = gateUp.shape;
	const gate = tf.slice(gateUp, [0, 0], [rows, double / 2]);
	const up = tf.slice(gateUp, [0, double / 2], [rows, double / 2]);
	return tf.mul(tf.mul(gate, tf.sigmoid(gate)), up);
}
