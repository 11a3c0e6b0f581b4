/** Many small tensors read in one go: one wait for the device instead of dozens. */
import * as tf from '@tensorflow/tfjs-core';
import { read } from '$lib/ops/index.ts';

/** Reads float tensors, in order. They stay alive. */
export async function readAll(tensors: tf.Tensor[]): Promise<Float32Array[]> {
	if (tensors.length === 0) return [];
	const joined = tf.tidy(() => tf.concat(tensors.map((tensor) => tf.reshape(tensor, [tensor.size])), 0));
	try {
		const all = (await read(joined)) as Float32Array;
		let from = 0;
		return tensors.map(({ size }) => all.subarray(from, (from += size)));
	} finally {
		joined.dispose();
	}
}
