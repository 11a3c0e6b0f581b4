/**
 * Running sums over evicted key/value pairs and what follows from them: for any query an estimate
 * of what attention over the evicted would have returned, and with which weight. Pure.
 */

type Numbers = Float32Array | Float64Array;

/** n, sum k [d], sum v [d], sum v k^T [d x d] (row = value channel) in one array of d^2 + 2d + 1 numbers. */
export interface Moments {
	d: number;
	numbers: Numbers;
}

/** Entries of the centred product matrix below this are taken as 0, as published. */
const NEGLIGIBLE = 1e-6;

export const momentsLength = (d: number): number => d * d + 2 * d + 1;

/** Sums over nothing. float32 is what the cache stores; float64 serves as the reference. */
export function noMoments(d: number, Kind: new (length: number) => Numbers = Float32Array): Moments {
	return { d, numbers: new Kind(momentsLength(d)) };
}

export const countOf = (moments: Moments): number => moments.numbers[0];

/** Adds one pair, in place. */
export function addPair({ d, numbers }: Moments, key: ArrayLike<number>, value: ArrayLike<number>): void {
	numbers[0] += 1;
	for (let c = 0; c < d; c++) {
		numbers[1 + c] += key[c];
		numbers[1 + d + c] += value[c];
	}
	for (let row = 0, at = 1 + 2 * d; row < d; row++) {
		for (let c = 0; c < d; c++, at++) numbers[at] += value[row] * key[c];
	}
}

/** What a read-out needs. */
export interface ReadOut {
	logCount: number;
	meanKey: Float32Array;
	meanValue: Float32Array;
	/** [d x d], row = value channel: (S - s_v s_k^T / n) / (n sqrt d). */
	matrix: Float32Array;
}

/** Summary of the pairs; null of none. `order` 0 leaves out the matrix (the mean value answers every query). */
export function readOut({ d, numbers }: Moments, order: 0 | 1 = 1): ReadOut | null {
	const n = numbers[0];
	if (n === 0) return null;
	const meanKey = Float32Array.from({ length: d }, (_, c) => numbers[1 + c] / n);
	const meanValue = Float32Array.from({ length: d }, (_, c) => numbers[1 + d + c] / n);
	const matrix = new Float32Array(d * d);
	const scale = 1 / (n * Math.sqrt(d));
	for (let row = 0; order === 1 && row < d; row++) {
		for (let c = 0; c < d; c++) {
			const centred = numbers[1 + 2 * d + row * d + c] - (numbers[1 + d + row] * numbers[1 + c]) / n;
			matrix[row * d + c] = Math.abs(centred) < NEGLIGIBLE ? 0 : centred * scale;
		}
	}
	return { logCount: Math.log(n), meanKey, meanValue, matrix };
}

/** Length of v - (mean value + matrix k): how badly the summary, asked with the key, would give the value. */
export function residualNorm(summary: ReadOut | null, key: ArrayLike<number>, value: ArrayLike<number>): number {
	const d = key.length;
	let square = 0;
	for (let row = 0, at = 0; row < d; row++) {
		let off = value[row];
		if (summary) {
			off -= summary.meanValue[row];
			for (let c = 0; c < d; c++, at++) off -= summary.matrix[at] * key[c];
		}
		square += off * off;
	}
	return Math.sqrt(square);
}

/** f(q) and log Z of the evicted pairs as the summary estimates them. */
export function answer(summary: ReadOut, query: ArrayLike<number>): { value: Float64Array; logWeight: number } {
	const d = query.length;
	const value = Float64Array.from(summary.meanValue);
	let dot = 0;
	for (let c = 0; c < d; c++) dot += query[c] * summary.meanKey[c];
	for (let row = 0; row < d; row++) for (let c = 0; c < d; c++) value[row] += summary.matrix[row * d + c] * query[c];
	return { value, logWeight: summary.logCount + dot / Math.sqrt(d) };
}
