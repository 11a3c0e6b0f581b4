/** RMSNorm of few numbers on wasm and cpu, by plain loops; the mean is in float64. */
import * as tf from '@tensorflow/tfjs-core';
import { hostView } from '../buffers.ts';

/** `x` [rows, width], `weight` [width] -> [rows, width]. */
export function hostRmsNorm(x: tf.Tensor, weight: tf.Tensor, eps: number): tf.Tensor {
	const width = weight.size;
	const [from, factors] = [hostView(x), hostView(weight)];
	const out = new Float32Array(x.size);
	for (let at = 0; at < out.length; at += width) {
		let squares = 0;
		for (let c = 0; c < width; c++) squares += from[at + c] * from[at + c];
		const scale = 1 / Math.sqrt(squares / width + eps);
		for (let c = 0; c < width; c++) out[at + c] = from[at + c] * scale * factors[c];
	}
	return tf.tensor(out, x.shape);
}
