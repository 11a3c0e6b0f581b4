import * as tf from '@tensorflow/tfjs-core';
import type { Attrs, Inputs } from '../kernel.ts';

export function stock({ source }: Inputs, attrs: Attrs): tf.Tensor {
	const { index, rows, count } = attrs as { index: Int32Array; rows: Int32Array; count: number };
	const [sourceRows, kvHeads, slots, headDim] = source.shape;
	// One row of zeros at the end stands for -1.
	const flat = tf.concat([tf.reshape(source, [sourceRows * kvHeads * slots, headDim]), tf.zeros([1, headDim])], 0);
	const zero = sourceRows * kvHeads * slots;
	const places = index.map((slot, i) => {
		const head = Math.floor(i / count) % kvHeads;
		const row = rows[Math.floor(i / (count * kvHeads))];
		return slot < 0 ? zero : (row * kvHeads + head) * slots + slot;
	});
	return tf.reshape(tf.gather(flat, tf.tensor1d(places, 'int32')), [rows.length, kvHeads, count, headDim]);
}
