/**
 * The product on the cpu backend, by plain loops over the tensors' own memory: the stock product
 * there works out every index anew. Sums are in float64, a row the same whatever stands beside it.
 */
import * as tf from '@tensorflow/tfjs-core';
import { hostView } from '../buffers.ts';
import type { Added } from './index.ts';

/** `x` [rows, inputs], `w` [outputs, inputs] -> [rows, outputs]. */
export function hostMatMul(x: tf.Tensor, w: tf.Tensor, { plus, bias }: Added = {}): tf.Tensor {
	const [rows, inputs] = x.shape as number[];
	const outputs = w.shape[0];
	const [a, b] = [hostView(x) as Float32Array, hostView(w) as Float32Array];
	const out = plus ? (hostView(plus) as Float32Array).slice() : new Float32Array(rows * outputs);
	const shifts = bias ? (hostView(bias) as Float32Array) : null;
	for (let n = 0; n < outputs; n++) {
		const shift = shifts ? shifts[n] : 0;
		for (let r = 0; r < rows; r++) out[r * outputs + n] += dot(a, r * inputs, b, n * inputs, inputs) + shift;
	}
	return tf.tensor(out, [rows, outputs]);
}

function dot(a: Float32Array, i: number, b: Float32Array, j: number, length: number): number {
	// Four sums, or each addition waits for the one before.
	let p = 0, q = 0, r = 0, s = 0;
	const fours = length - (length % 4);
	for (let k = 0; k < fours; k += 4) {
		p += a[i + k] * b[j + k];
		q += a[i + k + 1] * b[j + k + 1];
		r += a[i + k + 2] * b[j + k + 2];
		s += a[i + k + 3] * b[j + k + 3];
	}
	for (let k = fours; k < length; k++) p += a[i + k] * b[j + k];
	return p + q + r + s;
}
