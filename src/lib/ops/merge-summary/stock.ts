import * as tf from '@tensorflow/tfjs-core';
import type { Inputs } from '../kernel.ts';

export function stock({ out, logSumExp, query, logCount, meanKey, meanValue, matrix }: Inputs): tf.Tensor[] {
	const [batch, heads, tokens, headDim] = query.shape;
	const kvHeads = (logCount.shape as number[])[1];
	const group = heads / kvHeads;
	const rows = group * tokens;
	// Query heads of one KV head are neighbours, so a reshape groups them.
	const q = tf.reshape(query, [batch, kvHeads, rows, headDim]);
	const o = tf.reshape(out, [batch, kvHeads, rows, headDim]);
	const log = tf.reshape(logSumExp, [batch, kvHeads, rows, 1]);
	const count = tf.reshape(logCount, [batch, kvHeads, 1, 1]);
	const towards = tf.sum(tf.mul(q, tf.reshape(meanKey, [batch, kvHeads, 1, headDim])), -1, true);
	const logZ = tf.add(count, tf.mul(towards, 1 / Math.sqrt(headDim)));
	const value = tf.add(tf.matMul(q, matrix, false, true), tf.reshape(meanValue, [batch, kvHeads, 1, headDim]));
	const peak = tf.maximum(log, logZ);
	const a = tf.exp(tf.sub(log, peak));
	const c = tf.exp(tf.sub(logZ, peak));
	const total = tf.add(a, c);
	const merged = tf.div(tf.add(tf.mul(o, a), tf.mul(value, c)), total);
	const absent = tf.lessEqual(count, -1e29);
	const keep = tf.broadcastTo(absent, [batch, kvHeads, rows, 1]);
	return [
		tf.reshape(tf.where(tf.broadcastTo(absent, o.shape), o, merged), out.shape),
		tf.reshape(tf.where(keep, log, tf.add(peak, tf.log(total))), logSumExp.shape)
	];
}
