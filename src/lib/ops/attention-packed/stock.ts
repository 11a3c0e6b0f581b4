/** On wasm and cpu: decode, then attention of stock ops over the decoded numbers. Also the oracle of the kernels. */
import * as tf from '@tensorflow/tfjs-core';
import { halfValue } from '$lib/numerics/half.ts';
import { hostView } from '../buffers.ts';
import type { Attrs, Inputs } from '../kernel.ts';
import { codeAt, HIDDEN, layoutOf, type PackedFormat } from './format.ts';
import type { PackedAttrs } from './index.ts';
import type { PackedSegment } from './pool.ts';

export function stock(inputs: Inputs, attrs: Attrs): tf.Tensor[] {
	const { segments, probabilities, outOnly } = attrs as unknown as PackedAttrs;
	const [batch, heads, tokens, headDim] = inputs.query.shape;
	const rows = [batch, heads, tokens] as [number, number, number];
	const parts = segments.map((segment, i) => decode(segment, inputs[`pool${i}`], inputs[`table${i}`]));
	const scores = parts.map(({ keys, bias }, i) => scoresOf(inputs.query, keys, bias, segments[i].kvHeads));
	const base = baseOf(inputs);
	let log = base?.log ?? tf.fill(rows, HIDDEN);
	const before = log;
	for (const score of scores) log = logAdd(log, tf.logSumExp(score, -1));
	const share = (own: tf.Tensor) => tf.where(tf.lessEqual(own, -1e29), tf.zerosLike(own), tf.exp(tf.sub(own, tf.reshape(log, [...rows, 1]))));
	const shares = scores.map(share);
	let out: tf.Tensor = base ? tf.mul(base.out, tf.reshape(tf.exp(tf.sub(before, log)), [...rows, 1])) : tf.zeros([...rows, headDim]);
	shares.forEach((p, i) => {
		const { kvHeads } = segments[i];
		const grouped = tf.reshape(p, [batch * kvHeads, (heads / kvHeads) * tokens, -1]);
		out = tf.add(out, tf.reshape(tf.matMul(grouped, parts[i].values), out.shape));
	});
	// A row that reads nothing here keeps its bits.
	if (base) {
		const alone = tf.equal(log, before);
		out = tf.where(tf.broadcastTo(tf.reshape(alone, [...rows, 1]), out.shape), base.out, out);
	}
	return [out, ...(outOnly ? [] : [tf.maximum(log, HIDDEN)]), ...(probabilities ? shares : [])];
}

/** What was read elsewhere: out [batch, heads, tokens, headDim] and log-sum-exp [batch, heads, tokens]. */
function baseOf({ query, out, logSumExp, together }: Inputs): { out: tf.Tensor; log: tf.Tensor } | null {
	if (out) return { out, log: logSumExp };
	if (!together) return null;
	const [batch, heads, tokens, headDim] = query.shape as number[];
	const [first, last] = tf.split(together, [headDim, 1], 1);
	return { out: tf.reshape(first, query.shape), log: tf.reshape(last, [batch, heads, tokens]) };
}

/** log(exp a + exp b), also where both are as good as -infinity. */
function logAdd(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
	const peak = tf.maximum(a, b);
	return tf.where(tf.lessEqual(b, -1e29), a, tf.add(peak, tf.log(tf.add(tf.exp(tf.sub(a, peak)), tf.exp(tf.sub(b, peak))))));
}

/** [batch, heads, tokens, places]; hidden places at -1e30. */
function scoresOf(query: tf.Tensor, keys: tf.Tensor, bias: tf.Tensor, kvHeads: number): tf.Tensor {
	const [batch, heads, tokens, headDim] = query.shape as number[];
	const grouped = tf.reshape(query, [batch * kvHeads, (heads / kvHeads) * tokens, headDim]);
	const dots = tf.mul(tf.matMul(grouped, keys, false, true), 1 / Math.sqrt(headDim));
	const hidden = tf.broadcastTo(tf.lessEqual(bias, -1e29), dots.shape);
	const scores = tf.where(hidden, tf.fill(dots.shape, HIDDEN), tf.add(dots, bias));
	return tf.reshape(scores, [batch, heads, tokens, -1]);
}

/** Keys and values [heads, places, headDim] and bias [heads, 1, places] of all slots, heads = batch x kvHeads. */
export function decode({ format, batch, kvHeads, slots }: PackedSegment, pool: tf.Tensor, table: tf.Tensor): { keys: tf.Tensor; values: tf.Tensor; bias: tf.Tensor } {
	const { headDim: d, rows } = format;
	const heads = batch * kvHeads;
	const places = slots * rows;
	const words = hostView(pool) as Int32Array;
	const pages = (hostView(table) as Int32Array).subarray(2 * batch + heads);
	const keys = new Float32Array(heads * places * d);
	const values = new Float32Array(heads * places * d);
	const bias = new Float32Array(heads * places).fill(HIDDEN);
	const { words: size } = layoutOf(format);
	for (let i = 0; i < heads * slots; i++) {
		if (pages[i] < 0) continue;
		const page = words.subarray(pages[i] * size, (pages[i] + 1) * size);
		bias.set(new Float32Array(page.slice(0, rows).buffer), i * rows);
		keys.set(decodeSide(format, 'key', page), i * rows * d);
		values.set(decodeSide(format, 'value', page), i * rows * d);
	}
	return { keys: tf.tensor(keys, [heads, places, d]), values: tf.tensor(values, [heads, places, d]), bias: tf.tensor(bias, [heads, 1, places]) };
}

/** Numbers of one side of a page, [rows, headDim]. */
function decodeSide(format: PackedFormat, which: 'key' | 'value', page: Int32Array): Float32Array {
	const { headDim: d, rows } = format;
	const { bits, axis, group } = format[which];
	const { words, codes, rulers, bottom } = layoutOf(format)[which];
	const out = new Float32Array(rows * d);
	for (let r = 0; r < rows; r++) {
		for (let c = 0; c < d; c++) {
			const w = Math.floor(c / (32 / bits));
			const code = codeAt(page[codes + (which === 'key' ? w * rows + r : r * words + w)], c, bits) + bottom;
			const ruler = page[rulers + (axis === 'token' ? Math.floor(c / group) * rows + r : c)];
			out[r * d + c] = code * halfValue(ruler & 0xffff) + halfValue(ruler >>> 16);
		}
	}
	return out;
}
