/** What CONF-KV is put together from: how sure the model is, budgets by layer, scores that stay or go, and its 8-bit blocks. */
import { takeRows } from '$lib/cache/codecs/bits.ts';
import { uniformCodec } from '$lib/cache/codecs/uniform.ts';
import type { Codec, LayerCache } from '$lib/cache/types.ts';
import { softmax } from '$lib/numerics/distribution.ts';
import { headsOf } from '../slots.ts';

/**
 * 0.4 (1 - H / log |V|) + 0.3 sigmoid(log p1 - log p2) + 0.3 p1 of the distribution with these logits: its entropy H
 * and its two largest probabilities. From 0.15 + 0.3 / |V| where all are equal to 1 where one token is certain.
 */
export function confidence(logits: ArrayLike<number>): number {
	const p = softmax(logits);
	// The margin by logits, since a probability may be too small for a number.
	let [best, next, most, entropy] = [-Infinity, -Infinity, 0, 0];
	p.forEach((share, id) => {
		if (share > 0) entropy -= share * Math.log(share);
		if (logits[id] > best) [next, best, most] = [best, logits[id], share];
		else if (logits[id] > next) next = logits[id];
	});
	return 0.4 * (1 - entropy / Math.log(p.length)) + 0.3 / (1 + Math.exp(next - best)) + 0.3 * most;
}

/** The budget of a layer: it falls by the factor `beta` from the first layer to one beyond the last, not below `floor`. */
export function budgetOfLayer(slots: number, layer: number, layers: number, beta: number, floor: number): number {
	return beta === 1 ? slots : Math.min(slots, Math.max(floor, Math.floor(slots * beta ** (layer / layers))));
}

/** Numbers from 0 to 1 between the least and the greatest of those where `open` is 1; 0 everywhere where these are equal. */
function between(values: ArrayLike<number>, open: Uint8Array): Float64Array {
	let [least, most] = [Infinity, -Infinity];
	open.forEach((flag, i) => flag && ([least, most] = [Math.min(least, values[i]), Math.max(most, values[i])]));
	const span = most - least;
	return Float64Array.from(values, (value) => (span > 0 ? (value - least) / span : 0));
}

/** alpha x attention + (1 - alpha) x recency, each min-max normalised over the tokens that may go. */
export function retention(positions: ArrayLike<number>, attention: ArrayLike<number>, open: Uint8Array, alpha: number): { scores: Float64Array; attention: Float64Array; recency: Float64Array } {
	const terms = { attention: between(attention, open), recency: between(positions, open) };
	return { ...terms, scores: terms.attention.map((value, i) => alpha * value + (1 - alpha) * terms.recency[i]) };
}

/** Logical positions that some head of the layer holds, ascending. */
export function heldPositions(layer: LayerCache): Int32Array {
	return Int32Array.from(new Set(headsOf(layer).flatMap((head) => Array.from(layer.positions(head))))).sort();
}

/**
 * Blocks of `group` tokens in 8 bits, a scale a channel. Codes of a token lie together, so those of an evicted one
 * are dropped, and the scales stay as long as a token of the block does.
 */
export function int8Codec(group: number): Codec {
	const { uniform: _pages, ...codec } = uniformCodec({ bits: 8, axis: 'channel', group, symmetric: true });
	return {
		...codec, id: `int8-rows-g${group}`, title: `8 bits, a scale a channel for ${group} tokens`,
		keepRows: ({ parts: [codes, scales], ...payload }, rows) => ({
			...payload, rows: rows.length, parts: [{ ...codes, array: takeRows(codes.array as Uint8Array, payload.columns, rows) }, scales]
		})
	};
}
