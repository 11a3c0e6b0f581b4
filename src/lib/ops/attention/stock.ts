import * as tf from '@tensorflow/tfjs-core';
import { hostView } from '../buffers.ts';
import type { Attrs, Inputs } from '../kernel.ts';
import { hostAttention } from './host.ts';
import type { AttentionAttrs } from './index.ts';
import { wasmAttention } from './wasm.ts';

const HIDDEN = -1e30;
/** Queries a block of a long pass: bounds the scores held at once. */
const BLOCK = 128;

/** On wasm and cpu: our own code for one token a row, stock ops for longer passes. */
export function stock(inputs: Inputs, attrs: Attrs): tf.Tensor[] {
	const wanted = attrs as unknown as AttentionAttrs;
	const results = apart(inputs, wanted);
	if (!wanted.together) return results;
	const headDim = inputs.query.shape[3]!;
	return [tf.concat([tf.reshape(results[0], [-1, headDim]), tf.reshape(results[1], [-1, 1])], 1)];
}

function apart(inputs: Inputs, wanted: AttentionAttrs): tf.Tensor[] {
	if ((inputs.query.shape as number[])[2] > 1) return manyTokens(inputs, wanted);
	return wasmAttention(inputs, wanted) ?? hostAttention(inputs, wanted);
}

/** Bias of every place as the last token of the pass sees it: zero where this pass appended. */
function presentBias(bias: tf.Tensor, at: Int32Array, tokens: number): Float32Array {
	const capacity = bias.shape[2]!;
	const present = (hostView(bias) as Float32Array).slice();
	for (let row = 0; row < at.length; row++) {
		const from = row * capacity;
		present.fill(0, from + at[row], from + at[row] + tokens);
	}
	return present;
}

/** exp(x - max), its sum, and log-sum-exp, over the last axis. */
function softmax(scores: tf.Tensor) {
	const peak = tf.max(scores, -1, true);
	const weights = tf.exp(tf.sub(scores, peak));
	const total = tf.sum(weights, -1, true);
	return { weights, total, log: tf.add(peak, tf.log(total)) };
}

/** Prefill: row by row and head by head in blocks of queries; columns that no query sees are cut off. */
export function manyTokens({ query, keys, values, bias }: Inputs, wanted: AttentionAttrs): tf.Tensor[] {
	const [batch, heads, tokens, headDim] = query.shape;
	const [, kvHeads, capacity] = keys.shape;
	const group = heads / kvHeads;
	const present = presentBias(bias, wanted.at, tokens);
	const columns: tf.Tensor[][] = [[], [], [], []];
	for (let row = 0; row < batch * kvHeads; row++) {
		const b = Math.floor(row / kvHeads);
		const h = row % kvHeads;
		const done = tf.tidy(() => oneHead({
			queries: tf.reshape(tf.slice(query, [b, h * group, 0, 0], [1, group, tokens, headDim]), [group, tokens, headDim]),
			keys: tf.reshape(tf.slice(keys, [b, h, 0, 0], [1, 1, capacity, headDim]), [capacity, headDim]),
			values: tf.reshape(tf.slice(values, [b, h, 0, 0], [1, 1, capacity, headDim]), [capacity, headDim]),
			bias: present.subarray(row * capacity, (row + 1) * capacity),
			at: wanted.at[row]
		}, wanted));
		done.forEach((tensor, i) => columns[i].push(tensor));
	}
	const shapes = [[tokens, headDim], [tokens]];
	if (!wanted.logSumExp) shapes.pop();
	if (wanted.probabilities) shapes.push([tokens, capacity]);
	if (wanted.columnSums) shapes.push([capacity]);
	return shapes.map((shape, i) => tf.reshape(tf.concat(columns[i], 0), [batch, heads, ...shape]));
}

interface Head {
	/** [group, tokens, headDim] */
	queries: tf.Tensor;
	/** [capacity, headDim] */
	keys: tf.Tensor;
	values: tf.Tensor;
	bias: Float32Array;
	at: number;
}

function oneHead({ queries, keys, values, bias, at }: Head, wanted: AttentionAttrs): tf.Tensor[] {
	const [group, tokens, headDim] = queries.shape;
	const capacity = keys.shape[0];
	const last = bias.findLastIndex((value, place) => value > -1e29 && (place < at || place >= at + tokens));
	const outs: tf.Tensor[] = [];
	const logs: tf.Tensor[] = [];
	const probabilities: tf.Tensor[] = [];
	let sums: tf.Tensor | null = null;
	for (let from = 0; from < tokens; from += BLOCK) {
		const to = Math.min(tokens, from + BLOCK);
		const seen = Math.max(last + 1, at + to);
		// A tidy of its own, or the scores of all blocks would be alive at once.
		const [out, log, shares] = tf.tidy(() => {
			const q = tf.reshape(tf.slice(queries, [0, from, 0], [group, to - from, headDim]), [group * (to - from), headDim]);
			const dots = tf.matMul(q as tf.Tensor2D, tf.transpose(tf.slice(keys, [0, 0], [seen, headDim])) as tf.Tensor2D);
			const mask = tf.tensor(blockBias(bias, at, from, to, at + tokens, seen), [1, to - from, seen]);
			const scores = tf.add(tf.mul(tf.reshape(dots, [group, to - from, seen]), 1 / Math.sqrt(headDim)), mask);
			const { weights, total, log } = softmax(scores);
			const sum = tf.matMul(tf.reshape(weights, [group * (to - from), seen]) as tf.Tensor2D, tf.slice(values, [0, 0], [seen, headDim]) as tf.Tensor2D);
			const out = tf.div(tf.reshape(sum, [group, to - from, headDim]), total);
			const parts: tf.Tensor[] = [out, tf.reshape(log, [group, to - from])];
			if (!wanted.probabilities && !wanted.columnSums) return parts;
			const shares = tf.pad(tf.div(weights, total), [[0, 0], [0, 0], [0, capacity - seen]]);
			return [...parts, wanted.probabilities ? shares : tf.sum(shares, 1)];
		});
		outs.push(out);
		logs.push(log);
		if (wanted.probabilities) probabilities.push(shares);
		if (!wanted.columnSums) continue;
		const column = wanted.probabilities ? tf.sum(shares, 1) : shares;
		sums = sums ? tf.add(sums, column) : column;
	}
	const results = [tf.concat(outs, 1)];
	if (wanted.logSumExp) results.push(tf.concat(logs, 1));
	if (wanted.probabilities) results.push(tf.concat(probabilities, 1));
	if (wanted.columnSums) results.push(sums!);
	return results;
}

/** Bias of queries from..to over the first `seen` places, with what the pass appended after each query hidden. */
function blockBias(bias: Float32Array, at: number, from: number, to: number, end: number, seen: number): Float32Array {
	const block = new Float32Array((to - from) * seen);
	for (let t = from; t < to; t++) {
		const row = (t - from) * seen;
		block.set(bias.subarray(0, seen), row);
		block.fill(HIDDEN, row + at + t + 1, row + Math.min(seen, end));
	}
	return block;
}
