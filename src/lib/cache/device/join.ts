/** Attention over float32 places and over pages, as one: what each was a share of is put right by log-sum-exp. */
import type { PackedSegment } from '$lib/ops/attention-packed/index.ts';
import type { PackedCopy } from './packed-copy.ts';

export interface JoinShape {
	/** First row that was asked for, and how many. */
	first: number;
	rows: number;
	heads: number;
	kvHeads: number;
	tokens: number;
	/** Places in float32, and all that the joined rows have. */
	capacity: number;
	places: number;
}

export interface Parts {
	/** [rows asked for, heads, tokens, capacity], sums to 1. */
	exact: Float32Array;
	/** [all rows, heads, tokens] of the float32 places alone, and of everything that was read; absent without pages. */
	logExact?: Float32Array;
	logAll?: Float32Array;
	/** [rows asked for, heads, tokens, slots x rows of a page], shares of everything. */
	packed: { segment: PackedSegment; shares: Float32Array }[];
}

/** [rows asked for, heads, tokens, places] */
export function joinAttention({ first, rows, heads, kvHeads, tokens, capacity, places }: JoinShape, { exact, logExact, logAll, packed }: Parts, copy: PackedCopy): Float32Array {
	if (places === capacity) return exact;
	const out = new Float32Array(rows * heads * tokens * places);
	for (let row = 0; row < rows * heads * tokens; row++) {
		const log = first * heads * tokens + row;
		const factor = logExact && logAll ? Math.exp(logExact[log] - logAll[log]) : 1;
		const own = out.subarray(row * places, (row + 1) * places);
		for (let place = 0; place < capacity; place++) own[place] = factor * exact[row * capacity + place];
		const head = Math.floor(row / tokens);
		const index = (first + Math.floor(head / heads)) * kvHeads + Math.floor(((head % heads) * kvHeads) / heads);
		for (const { segment, shares } of packed) {
			const width = segment.slots * segment.format.rows;
			copy.spread(index, segment, shares.subarray(row * width, (row + 1) * width), own.subarray(capacity));
		}
	}
	return out;
}

/** Sums over the tokens: [rows, heads, tokens, places] -> [rows, heads, places]. */
export function sumOverTokens(attention: Float32Array, tokens: number, places: number): Float32Array {
	const sums = new Float32Array(attention.length / tokens);
	for (let i = 0; i < attention.length; i++) sums[Math.floor(i / (tokens * places)) * places + (i % places)] += attention[i];
	return sums;
}
