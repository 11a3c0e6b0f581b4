/** Of the heads of a model on one text: who looks far back, and who needs many tokens. */
import { Captured } from '$lib/cache/device/index.ts';
import { attentionRow } from '$lib/methods/observe.ts';
import { countAmongBest } from '$lib/methods/budget-allocation/clusters.ts';
import { observedByWindow } from '$lib/methods/eviction/snapkv.ts';
import { headsOf } from '$lib/methods/slots.ts';
import { rotation, type Rotation } from '$lib/numerics/rope.ts';
import { cacheOf } from '../prefill.ts';
import { promptView } from '../views.ts';

/** What a streaming head would hold. */
export interface Ends {
	sink: number;
	recent: number;
}

/**
 * Share of the attention of one query head that falls on what a streaming head would not hold, mean over the
 * queries of the tokens `from` to below `to`. A query reads its own token; that counts as recent.
 */
export function beyondEnds(captured: Captured, layer: number, queryHead: number, from: number, to: number, { sink, recent }: Ends): number {
	const { shape, n } = captured;
	const d = shape.headDim;
	const keys = captured.keys(layer, Math.floor((queryHead * shape.kvHeads) / shape.heads));
	const queries = captured.queries(layer, queryHead);
	const positions = Int32Array.from({ length: n }, (_, i) => i);
	let sum = 0;
	for (let at = from; at < to; at++) {
		const row = attentionRow(queries.subarray(at * d, (at + 1) * d), keys, positions, at);
		for (let j = sink; j <= at - recent; j++) sum += row[j];
	}
	return sum / Math.max(1, to - from);
}

/** Mean of rows of [n, d]. */
function meanRow(rows: Float32Array, d: number): Float32Array {
	const mean = new Float64Array(d);
	for (let at = 0; at < rows.length; at++) mean[at % d] += (rows[at] * d) / rows.length;
	return Float32Array.from(mean);
}

/**
 * How early in a text of `length` tokens a query head looks when every token has the mean query and the mean key
 * before rotation: the last token's attention, summed up from the first token on, and the mean of these sums. 1:
 * all on the first token; near 0: all on the last. kvpress takes it for a head's score.
 */
export function areaOf(captured: Captured, rope: Rotation, layer: number, queryHead: number, length = 500): number {
	const { shape, angles } = captured;
	const d = shape.headDim;
	const back = angles.map((angle) => -angle);
	const key = meanRow(rope.rotate(captured.keys(layer, Math.floor((queryHead * shape.kvHeads) / shape.heads)), back, d), d);
	const query = meanRow(rope.rotate(captured.queries(layer, queryHead), back, d), d);
	const positions = Int32Array.from({ length }, (_, i) => i);
	const keys = new Float32Array(length * d);
	for (const at of positions) keys.set(key, at * d);
	const row = attentionRow(rope.rotate(query, [length - 1], d), rope.rotate(keys, positions, d), positions, length - 1);
	return row.reduce((sum, share, at) => sum + (share * (length - at)) / length, 0);
}

/** The first `n` tokens of what was captured; queries of all tokens must be there. */
export function firstTokens({ shape, layers, ...all }: Captured, n: number): Captured {
	const cut = (numbers: Float32Array, heads: number) => {
		const size = numbers.length / heads;
		const out = new Float32Array(heads * n * shape.headDim);
		for (let head = 0; head < heads; head++) out.set(numbers.subarray(head * size, head * size + n * shape.headDim), head * n * shape.headDim);
		return out;
	};
	return new Captured(shape, n, layers.map(({ keys, values, queries }) => ({
		keys: cut(keys, shape.kvHeads), values: cut(values, shape.kvHeads), queries: cut(queries!, shape.heads)
	})), all.angles.slice(0, n));
}

/**
 * Of each head of all layers, the share of its tokens that belong to the `share` best of all heads together, by
 * attention from the last `ends.recent` tokens (SnapKV). First and last tokens do not count.
 */
export function retention(captured: Captured, invFreq: Float64Array, share: number, { sink, recent }: Ends): number[] {
	const rope = rotation(invFreq);
	const open = Math.max(0, captured.n - sink - recent);
	const rows = cacheOf(captured, rope).layers.flatMap((layer, l) => {
		const seen = promptView(captured, l, { queries: { last: recent } }, captured.shape, rope, new Map());
		const { byHead } = observedByWindow(layer, seen, recent, 5);
		return headsOf(layer).map((head) => byHead[head].subarray(sink, sink + open));
	});
	return countAmongBest(rows, Math.floor(share * open * rows.length)).map((count) => count / Math.max(1, open));
}
