/** Pages of consecutive slots and the bounds of their keys, channel by channel. Pure. */
import { toHalf } from '$lib/numerics/half.ts';

/** Bounds of one head's pages; page p holds slots p x size … and the last page may be part full. */
export interface PageBounds {
	size: number;
	headDim: number;
	/** Logical positions of the slots that the bounds cover. */
	positions: Int32Array;
	/** [pages, headDim] least and greatest value of each channel. */
	low: Float32Array;
	high: Float32Array;
	/** The same as they are stored, in halves like the keys; low, then high. */
	stored: [Uint16Array, Uint16Array];
}

export const pageCount = (bounds: PageBounds): number => bounds.low.length / bounds.headDim;

/** Bounds of no slots. */
export function noPages(size: number, headDim: number): PageBounds {
	return { size, headDim, positions: new Int32Array(0), low: new Float32Array(0), high: new Float32Array(0), stored: [new Uint16Array(0), new Uint16Array(0)] };
}

/**
 * Bounds for the slots at `positions` with `keys` [slots, headDim]. Where the slots only grew since
 * `before`, only the new ones are read; where anything else changed, all are read anew.
 */
export function updatePages(before: PageBounds, positions: Int32Array, keys: Float32Array): PageBounds {
	const { size, headDim: d } = before;
	const grewOnly =
		positions.length >= before.positions.length && before.positions.every((position, slot) => positions[slot] === position);
	const from = grewOnly ? before.positions.length : 0;
	if (grewOnly && from === positions.length) return before;
	const cells = Math.ceil(positions.length / size) * d;
	const low = new Float32Array(cells).fill(Infinity);
	const high = new Float32Array(cells).fill(-Infinity);
	if (grewOnly) {
		low.set(before.low);
		high.set(before.high);
	}
	for (let slot = from; slot < positions.length; slot++) {
		const page = Math.floor(slot / size) * d;
		for (let c = 0; c < d; c++) {
			const x = keys[slot * d + c];
			if (x < low[page + c]) low[page + c] = x;
			if (x > high[page + c]) high[page + c] = x;
		}
	}
	const touched = Math.floor(from / size) * d;
	const stored = [low, high].map((numbers, i) => {
		const halves = new Uint16Array(cells);
		halves.set(before.stored[i].subarray(0, touched));
		halves.set(toHalf(numbers.subarray(touched)), touched);
		return halves;
	}) as PageBounds['stored'];
	return { size, headDim: d, positions: Int32Array.from(positions), low, high, stored };
}

/** Upper bound of q k over the keys of each page: sum over channels of max(q low, q high). */
export function upperBounds(bounds: PageBounds, query: ArrayLike<number>): Float64Array {
	const d = bounds.headDim;
	const upper = new Float64Array(pageCount(bounds));
	for (let page = 0; page < upper.length; page++) {
		for (let c = 0; c < d; c++) {
			upper[page] += Math.max(query[c] * bounds.low[page * d + c], query[c] * bounds.high[page * d + c]);
		}
	}
	return upper;
}
