/**
 * Attention of one token a row on cpu, and on wasm where our own WebAssembly cannot run: plain loops over
 * the tensors' own memory. Batched products of stock ops take a scalar path in wasm and cannot skip hidden
 * places; with arms that have evicted most of their slots this does a fraction of the work. Sums are in float64.
 */
import * as tf from '@tensorflow/tfjs-core';
import { hostView } from '../buffers.ts';
import type { Inputs } from '../kernel.ts';
import type { AttentionAttrs } from './index.ts';

export function hostAttention({ query, keys, values, bias }: Inputs, wanted: AttentionAttrs): tf.Tensor[] {
	const [batch, heads, , dim] = query.shape as number[];
	const [, kvHeads, capacity] = keys.shape as number[];
	const numbers = {
		query: hostView(query) as Float32Array, keys: hostView(keys) as Float32Array,
		values: hostView(values) as Float32Array, bias: hostView(bias) as Float32Array
	};
	const out = new Float32Array(batch * heads * dim);
	const results = resultsOf(wanted, { batch, heads, capacity });
	const scratch = { places: new Int32Array(capacity), extra: new Float64Array(capacity), weights: new Float64Array(capacity), query: new Float64Array(dim), sum: new Float64Array(dim) };
	const group = heads / kvHeads;
	for (let row = 0; row < batch * kvHeads; row++) {
		const base = row * capacity;
		const count = visible(numbers.bias, base, wanted.used, wanted.at[row], scratch);
		for (let g = 0; g < group; g++) {
			const head = row * group + g;
			const peak = scores(numbers, head * dim, base, count, dim, scratch);
			let total = 0;
			for (let i = 0; i < count; i++) total += scratch.weights[i] = Math.exp(scratch.weights[i] - peak);
			mix(numbers.values, base, count, dim, scratch);
			for (let c = 0; c < dim; c++) out[head * dim + c] = scratch.sum[c] / total;
			results.take(head, peak + Math.log(total), scratch.weights.subarray(0, count), scratch.places, total);
		}
	}
	return [tf.tensor(out, [batch, heads, 1, dim]), ...results.tensors()];
}

/** Collects what is wanted beside the output, head by head (row x heads), and makes its tensors in the promised order. */
export function resultsOf(wanted: AttentionAttrs, { batch, heads, capacity }: { batch: number; heads: number; capacity: number }) {
	const logSumExp = new Float32Array(batch * heads);
	const shares = wanted.probabilities || wanted.columnSums ? new Float32Array(batch * heads * capacity) : null;
	return {
		/** `weights` of the listed `places`, before the division by their `total`. */
		take(head: number, log: number, weights: ArrayLike<number>, places: Int32Array, total: number): void {
			logSumExp[head] = log;
			if (shares) for (let i = 0; i < weights.length; i++) shares[head * capacity + places[i]] = weights[i] / total;
		},
		tensors(): tf.Tensor[] {
			const made: tf.Tensor[] = [];
			if (wanted.logSumExp) made.push(tf.tensor(logSumExp, [batch, heads, 1]));
			if (wanted.probabilities) made.push(tf.tensor(shares!, [batch, heads, 1, capacity]));
			if (wanted.columnSums) made.push(tf.tensor(shares!.slice(), [batch, heads, capacity]));
			return made;
		}
	};
}

interface Scratch {
	places: Int32Array;
	extra: Float64Array;
	weights: Float64Array;
	query: Float64Array;
	sum: Float64Array;
}

/** Lists the places of `used` that may be read and their biases; the one appended in this pass counts with 0. */
export function visible(
	bias: Float32Array, base: number, used: number, own: number, { places, extra }: { places: Int32Array; extra: Float32Array | Float64Array }
): number {
	let count = 0;
	for (let place = 0; place < used; place++) {
		const b = place === own ? 0 : bias[base + place];
		if (b <= -1e29) continue;
		places[count] = place;
		extra[count++] = b;
	}
	return count;
}

/** Scores of the listed places into `weights`; returns the largest. */
function scores({ query: q, keys }: { query: Float32Array; keys: Float32Array }, from: number, base: number, count: number, dim: number, { places, extra, weights, query }: Scratch): number {
	const scale = 1 / Math.sqrt(dim);
	for (let c = 0; c < dim; c++) query[c] = q[from + c] * scale;
	const fours = dim - (dim % 4);
	let peak = -Infinity;
	for (let i = 0; i < count; i++) {
		const at = (base + places[i]) * dim;
		// Four sums, or each addition waits for the one before.
		let a = 0, b = 0, c = 0, d = 0;
		for (let j = 0; j < fours; j += 4) {
			a += query[j] * keys[at + j];
			b += query[j + 1] * keys[at + j + 1];
			c += query[j + 2] * keys[at + j + 2];
			d += query[j + 3] * keys[at + j + 3];
		}
		for (let j = fours; j < dim; j++) a += query[j] * keys[at + j];
		const score = a + b + c + d + extra[i];
		weights[i] = score;
		if (score > peak) peak = score;
	}
	return peak;
}

/** Weighted sum of the listed values into `sum`. */
function mix(values: Float32Array, base: number, count: number, dim: number, { places, weights, sum }: Scratch): void {
	sum.fill(0);
	let i = 0;
	// Four places at a time, so that a sum is loaded and stored once for four products.
	for (; i + 3 < count; i += 4) {
		const [v0, v1, v2, v3] = [(base + places[i]) * dim, (base + places[i + 1]) * dim, (base + places[i + 2]) * dim, (base + places[i + 3]) * dim];
		const w0 = weights[i], w1 = weights[i + 1], w2 = weights[i + 2], w3 = weights[i + 3];
		for (let j = 0; j < dim; j++) {
			sum[j] += w0 * values[v0 + j] + w1 * values[v1 + j] + w2 * values[v2 + j] + w3 * values[v3 + j];
		}
	}
	for (; i < count; i++) {
		const at = (base + places[i]) * dim;
		for (let j = 0; j < dim; j++) sum[j] += weights[i] * values[at + j];
	}
}
