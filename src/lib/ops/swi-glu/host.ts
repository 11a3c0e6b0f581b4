/** SwiGLU of few numbers on wasm and cpu, by a plain loop. */
import * as tf from '@tensorflow/tfjs-core';
import { hostView } from '../buffers.ts';

/** `gateUp` [rows, 2 x width] -> [rows, width]. */
export function hostSwiGlu(gateUp: tf.Tensor): tf.Tensor {
	const [rows, double] = gateUp.shape as number[];
	const width = double / 2;
	const from = hostView(gateUp);
	const out = new Float32Array(rows * width);
	for (let r = 0; r < rows; r++) {
		for (let c = 0; c < width; c++) {
			const gate = from[r * double + c];
			out[r * width + c] = (gate / (1 + Math.exp(-gate))) * from[r * double + width + c];
		}
	}
	return tf.tensor(out, [rows, width]);
}
