/** Passes without a model: random queries, keys and values, and attention as plain loops. */
import * as tf from '@tensorflow/tfjs-core';
import { random } from '$lib/numerics/random.ts';
import { softmax } from '$lib/numerics/distribution.ts';
import type { ArmCache } from '../arm-cache.ts';
import { TINY } from '../testing.ts';
import type { DeviceMemory } from './memory.ts';
import type { PassKind, PassWants } from './pass.ts';
import type { Seen } from './seen.ts';

export interface PassNumbers {
	/** [rows, heads, tokens, headDim] by layer; the same for every row. */
	queries: Float32Array[];
	/** [rows, kvHeads, tokens, headDim] by layer. */
	keys: Float32Array[];
	values: Float32Array[];
	/** [rows, heads, tokens, headDim] by layer: what attention gave back. */
	outs: Float32Array[];
	seen: Seen;
}

/** Runs one pass with numbers made from `seed`; all rows get the same. */
export async function runPass(memory: DeviceMemory, kind: PassKind, seed: number, wants: PassWants = {}, tokens = 1): Promise<PassNumbers> {
	const { layers, heads, kvHeads, headDim } = TINY;
	const rows = memory.arms.length;
	const draw = random(seed);
	const numbers = (count: number) => {
		const one = Float32Array.from({ length: count * tokens * headDim }, () => draw.normal());
		return Float32Array.from({ length: rows * one.length }, (_, i) => one[i % one.length]);
	};
	const result: PassNumbers = { queries: [], keys: [], values: [], outs: [], seen: null as unknown as Seen };
	const pass = memory.begin(kind, wants, tokens);
	for (let layer = 0; layer < layers; layer++) {
		result.queries.push(numbers(heads));
		result.keys.push(numbers(kvHeads));
		result.values.push(numbers(kvHeads));
		const query = tf.tensor(result.queries[layer].slice(), [rows, heads, tokens, headDim]);
		const key = tf.tensor(result.keys[layer].slice(), [rows, kvHeads, tokens, headDim]);
		const value = tf.tensor(result.values[layer].slice(), [rows, kvHeads, tokens, headDim]);
		const out = await memory.attend({ layer, query, key, value, pass, ...(memory.wantsKeyBefore() ? { keyBefore: key } : {}) });
		result.outs.push((await out.data()) as Float32Array);
		tf.dispose([query, key, value, out]);
	}
	result.seen = await memory.finish();
	return result;
}

/** What a token's query should read from an arm's store: slots up to `upTo` slots, hidden ones left out. */
export function expectedRead(arm: ArmCache, layer: number, queryHead: number, query: Float32Array, upTo?: number): { out: Float64Array; weights: Float64Array } {
	const { heads, kvHeads, headDim } = TINY;
	const head = Math.floor(queryHead / (heads / kvHeads));
	const cache = arm.layers[layer];
	const length = upTo ?? cache.length(head);
	const [keys, values, bias, hidden] = [cache.keys(head), cache.values(head), cache.bias(head), cache.hidden(head)];
	const scores = Float64Array.from({ length }, (_, slot) => {
		if (hidden[slot]) return -Infinity;
		let dot = 0;
		for (let c = 0; c < headDim; c++) dot += query[c] * keys[slot * headDim + c];
		return dot / Math.sqrt(headDim) + bias[slot];
	});
	const weights = softmax(scores);
	const out = new Float64Array(headDim);
	for (let slot = 0; slot < length; slot++) {
		for (let c = 0; c < headDim; c++) out[c] += weights[slot] * values[slot * headDim + c];
	}
	return { out, weights };
}

/** Largest difference of two arrays. */
export function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
	if (a.length !== b.length) return Infinity;
	let max = 0;
	for (let i = 0; i < a.length; i++) {
		const difference = Math.abs(a[i] - b[i]);
		// NaN must not pass for "no difference".
		if (!(difference <= max)) max = difference;
	}
	return max;
}
