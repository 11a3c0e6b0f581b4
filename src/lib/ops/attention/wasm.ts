/** Attention of one token a row on wasm: products in our own WebAssembly, the softmax between them in JavaScript. */
import * as tf from '@tensorflow/tfjs-core';
import { hostView, wasmOutput } from '../buffers.ts';
import type { Inputs } from '../kernel.ts';
import { address } from '../own-wasm.ts';
import { resultsOf, visible } from './host.ts';
import type { AttentionAttrs } from './index.ts';
import { attentionWasm, fits, MOST_HEADS } from './kernel.wasm.ts';

/** The same as `hostAttention` with scores in float32, or null where it cannot run: a loop must do it then. */
export function wasmAttention({ query, keys, values, bias }: Inputs, wanted: AttentionAttrs): tf.Tensor[] | null {
	const [batch, heads, , dim] = query.shape as number[];
	const [, kvHeads, capacity] = keys.shape as number[];
	const group = heads / kvHeads;
	const together = Math.min(group, MOST_HEADS);
	const kernels = fits(dim) ? attentionWasm(dim, together) : null;
	if (!kernels) return null;
	const ofRest = group % together ? attentionWasm(dim, group % together)! : kernels;

	const scale = 1 / Math.sqrt(dim);
	const out = wasmOutput([batch, heads, 1, dim], 'float32');
	const [listed, shares] = [wasmOutput([capacity], 'int32'), wasmOutput([together, capacity], 'float32')];
	// Views last until the next allocation: there is none before the results.
	const [places, weights, mixed, hidden] = [listed, shares, out, bias].map(hostView);
	const at = { query: address(query), keys: address(keys), values: address(values), places: address(listed), weights: address(shares), out: address(out) };
	const extra = new Float32Array(capacity);
	const results = resultsOf(wanted, { batch, heads, capacity });
	for (let row = 0; row < batch * kvHeads; row++) {
		const count = visible(hidden as Float32Array, row * capacity, wanted.used, wanted.at[row], { places: places as Int32Array, extra });
		const from = 4 * row * capacity * dim;
		for (let first = 0; first < group; first += together) {
			const some = Math.min(together, group - first);
			const { scores, mix } = some === together ? kernels : ofRest;
			const head = row * group + first;
			scores(at.query + 4 * head * dim, at.keys + from, at.places, at.weights, count, 4 * capacity);
			const totals: number[] = [];
			for (let g = 0; g < some; g++) {
				const own = weights.subarray(g * capacity, g * capacity + count) as Float32Array;
				const { total, log } = softmax(own, extra, scale);
				totals.push(total);
				results.take(head + g, log, own, places as Int32Array, total);
			}
			mix(at.values + from, at.places, at.weights, at.out + 4 * head * dim, count, 4 * capacity);
			totals.forEach((total, g) => {
				for (let c = (head + g) * dim; c < (head + g + 1) * dim; c++) mixed[c] /= total;
			});
		}
	}
	return [out, ...results.tensors()];
}

/** Products -> exp(score - largest), in place; their sum, and the natural log of the softmax's denominator. */
function softmax(weights: Float32Array, extra: Float32Array, scale: number): { total: number; log: number } {
	let peak = -Infinity;
	for (let i = 0; i < weights.length; i++) {
		const score = weights[i] * scale + extra[i];
		weights[i] = score;
		if (score > peak) peak = score;
	}
	let total = 0;
	for (let i = 0; i < weights.length; i++) total += weights[i] = Math.exp(weights[i] - peak);
	return { total, log: peak + Math.log(total) };
}
