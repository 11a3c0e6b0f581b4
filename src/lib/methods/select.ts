/**
 * Selection: which slots stay, given scores. Pure functions on plain arrays, so that a wrapper
 * (adakv, merging-press, key-rerotation) can use any scorer's numbers with any of them.
 */

/**
 * The `count` best slots, as ascending slot indices. Slots with the highest number in `always` come
 * first, the newest of them if they alone are too many; then higher scores; equal scores go to the
 * lower index.
 */
export function topSlots(scores: ArrayLike<number>, count: number, always?: ArrayLike<number>): Int32Array {
	const n = scores.length;
	const wanted = Math.max(0, Math.min(n, Math.floor(count)));
	if (wanted === n) return Int32Array.from({ length: n }, (_, slot) => slot);
	const order = Array.from({ length: n }, (_, slot) => slot);
	order.sort((a, b) => {
		const alwaysA = always?.[a] ?? 0;
		const alwaysB = always?.[b] ?? 0;
		if (alwaysA !== alwaysB) return alwaysB - alwaysA;
		if (alwaysA) return b - a;
		return scores[b] - scores[a] || a - b;
	});
	return Int32Array.from(order.slice(0, wanted)).sort();
}

/** Slots of 0 … n-1 that are not in `kept`. */
export function others(n: number, kept: ArrayLike<number>): Int32Array {
	const gone = new Uint8Array(n).fill(1);
	for (let i = 0; i < kept.length; i++) gone[kept[i]] = 0;
	return slotsWhere(gone);
}

/** Indices at which the mask is not 0, ascending. */
export function slotsWhere(mask: ArrayLike<number>): Int32Array {
	const slots: number[] = [];
	for (let slot = 0; slot < mask.length; slot++) if (mask[slot]) slots.push(slot);
	return Int32Array.from(slots);
}

/** Index of the smallest value where `open` is not 0; equal values go to the lower (older) slot. -1 if none. */
export function argMin(values: ArrayLike<number>, open?: ArrayLike<number>): number {
	let best = -1;
	for (let slot = 0; slot < values.length; slot++) {
		if (open && !open[slot]) continue;
		if (best < 0 || values[slot] < values[best]) best = slot;
	}
	return best;
}

/**
 * Moving average of odd width `kernel` with zero padding. The divisor is `kernel` at the borders
 * too, as in PyTorch's avg_pool1d: this damps the first tokens, which are the sinks.
 */
export function poolAverage(values: ArrayLike<number>, kernel: number): Float64Array {
	const half = (kernel - 1) / 2;
	const pooled = new Float64Array(values.length);
	for (let i = 0; i < values.length; i++) {
		let sum = 0;
		const end = Math.min(values.length - 1, i + half);
		for (let j = Math.max(0, i - half); j <= end; j++) sum += values[j];
		pooled[i] = sum / kernel;
	}
	return pooled;
}

/** Element-wise mean of arrays of equal length: query heads of a group, rows of a window. */
export function meanOf(arrays: readonly ArrayLike<number>[]): Float64Array {
	const mean = new Float64Array(arrays[0]?.length ?? 0);
	for (const array of arrays) for (let i = 0; i < mean.length; i++) mean[i] += array[i];
	for (let i = 0; i < mean.length; i++) mean[i] /= arrays.length;
	return mean;
}

/** Euclidean norm of each row of a row-major [rows, columns] block. */
export function rowNorms(block: ArrayLike<number>, columns: number): Float64Array {
	const norms = new Float64Array(block.length / columns);
	for (let row = 0; row < norms.length; row++) {
		let sum = 0;
		for (let c = 0; c < columns; c++) sum += block[row * columns + c] ** 2;
		norms[row] = Math.sqrt(sum);
	}
	return norms;
}
