/**
 * What methods compute from the queries and keys they see. float64 inside: scores decide over
 * tokens by small differences, and the cost is small beside the forward pass.
 */
import type { LayerCache } from '$lib/cache/types.ts';
import type { PromptView } from './define.ts';
import { meanOf } from './select.ts';
import { groupOf } from './slots.ts';

/**
 * softmax(q k / sqrt d) of one query over the keys whose position is at most `limit`; the rest is 0.
 * `keys` is [positions.length, d].
 */
export function attentionRow(
	query: ArrayLike<number>,
	keys: ArrayLike<number>,
	positions: ArrayLike<number>,
	limit: number,
	bias?: ArrayLike<number>
): Float64Array {
	const d = query.length;
	const scale = 1 / Math.sqrt(d);
	const row = new Float64Array(positions.length);
	let max = -Infinity;
	for (let j = 0; j < row.length; j++) {
		if (positions[j] > limit) {
			row[j] = -Infinity;
			continue;
		}
		let dot = 0;
		for (let c = 0, at = j * d; c < d; c++, at++) dot += query[c] * keys[at];
		row[j] = dot * scale + (bias ? bias[j] : 0);
		if (row[j] > max) max = row[j];
	}
	let sum = 0;
	for (let j = 0; j < row.length; j++) {
		row[j] = row[j] === -Infinity ? 0 : Math.exp(row[j] - max);
		sum += row[j];
	}
	if (sum > 0) for (let j = 0; j < row.length; j++) row[j] /= sum;
	return row;
}

/**
 * Attention of the last `window` prompt tokens over the slots that are present: for each query head
 * of the group of `head` one row a window token, each row [slots].
 */
export function windowRows(layer: LayerCache, seen: PromptView, head: number, window: number): Float64Array[][] {
	const d = layer.headDim;
	const keys = layer.keys(head);
	const positions = layer.positions(head);
	const bias = layer.bias(head);
	return groupOf(head, seen.model).map((queryHead) => {
		const queries = windowQueries(layer, seen, head, queryHead, window);
		const rows = queries.length / d;
		return Array.from({ length: rows }, (_, i) =>
			attentionRow(queries.subarray(i * d, (i + 1) * d), keys, positions, seen.n - rows + i, bias)
		);
	});
}

/** The same, with the mean over the window's rows taken: one row a query head of the group. */
export function windowAttention(layer: LayerCache, seen: PromptView, head: number, window: number): Float64Array[] {
	return windowRows(layer, seen, head, window).map((rows) => meanOf(rows));
}

/**
 * The last `window` rotated queries, [w, d]. Where a method before this one re-rotated the keys,
 * the queries are turned along, so that the last of them stands where the last key stands.
 */
export function windowQueries(layer: LayerCache, seen: PromptView, head: number, queryHead: number, window: number): Float32Array {
	const d = layer.headDim;
	const all = seen.queries(queryHead);
	const rows = Math.min(window, all.length / d);
	const queries = all.subarray(all.length - rows * d);
	const positions = layer.positions(head);
	const angles = layer.rotaryPositions(head);
	if (positions.every((position, slot) => position === angles[slot])) return queries;
	const shift = layer.length(head) - seen.n;
	return seen.rope.rotate(queries, new Int32Array(rows).fill(shift), d);
}
