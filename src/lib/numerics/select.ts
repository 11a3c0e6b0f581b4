/** Choosing and summing over plain arrays. Ties always go to the lower index. */

/** Index of the largest value; -1 for nothing. */
export function argmax(x: ArrayLike<number>): number {
	let best = -1;
	for (let i = 0; i < x.length; i++) if (best < 0 || x[i] > x[best]) best = i;
	return best;
}

/** Indices of the `k` largest values, largest first; NaN counts as the smallest. */
export function topK(x: ArrayLike<number>, k: number): Int32Array {
	// Sorting a whole vocabulary for a few candidates would cost more than the pass that made it.
	if (k > 0 && k * 16 < x.length) return fewLargest(x, k);
	const order = descendingOrder(x);
	return order.subarray(0, Math.max(0, Math.min(k, x.length)));
}

/** One walk with a short sorted list; the same order as sorting. */
function fewLargest(x: ArrayLike<number>, k: number): Int32Array {
	const best = new Int32Array(k);
	const values = new Float64Array(k);
	let count = 0;
	for (let i = 0; i < x.length; i++) {
		const value = Number.isNaN(x[i]) ? -Infinity : x[i];
		if (count === k && value <= values[k - 1]) continue;
		let at = count < k ? count++ : k - 1;
		for (; at > 0 && values[at - 1] < value; at--) {
			values[at] = values[at - 1];
			best[at] = best[at - 1];
		}
		values[at] = value;
		best[at] = i;
	}
	return best;
}

/** Indices of the `k` largest values in ascending index order. */
export function topKAscending(x: ArrayLike<number>, k: number): Int32Array {
	return topK(x, k).slice().sort();
}

/** All indices, largest value first, ties by index. */
export function descendingOrder(x: ArrayLike<number>): Int32Array {
	const key = (i: number) => (Number.isNaN(x[i]) ? -Infinity : x[i]);
	return Int32Array.from({ length: x.length }, (_, i) => i).sort((a, b) => {
		const [va, vb] = [key(a), key(b)];
		return va === vb ? a - b : vb > va ? 1 : -1;
	});
}

export function sum(x: ArrayLike<number>): number {
	let total = 0;
	for (let i = 0; i < x.length; i++) total += x[i];
	return total;
}

/** Mean; NaN for nothing. */
export function mean(x: ArrayLike<number>): number {
	return sum(x) / x.length;
}

/** Standard error of the mean; 0 for a single number. */
export function standardError(numbers: readonly number[]): number {
	if (numbers.length < 2) return 0;
	const middle = mean(numbers);
	return Math.sqrt(numbers.reduce((total, x) => total + (x - middle) ** 2, 0) / (numbers.length - 1) / numbers.length);
}

/** Quantile at q in [0, 1], linear between neighbours; NaN for nothing. */
export function quantile(x: ArrayLike<number>, q: number): number {
	const sorted = Float64Array.from(x).sort();
	if (sorted.length === 0) return NaN;
	const at = Math.min(1, Math.max(0, q)) * (sorted.length - 1);
	const low = Math.floor(at);
	const high = Math.min(low + 1, sorted.length - 1);
	return sorted[low] + (sorted[high] - sorted[low]) * (at - low);
}
