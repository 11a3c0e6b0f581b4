/** Medians and paired ratios. */
export interface Spread {
	median: number;
	low: number;
	high: number;
}

export function median(numbers: number[]): number {
	const sorted = numbers.slice().sort((a, b) => a - b);
	const half = sorted.length >> 1;
	return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** Median, least and greatest. Throws RangeError when there is nothing. */
export function spread(numbers: number[]): Spread {
	if (numbers.length === 0) throw new RangeError('nothing was measured');
	return { median: median(numbers), low: Math.min(...numbers), high: Math.max(...numbers) };
}

/** How many times as long `a` took as `b`, round by round: what disturbs a round disturbs both. */
export function ratio(a: number[], b: number[]): Spread {
	return spread(a.slice(0, Math.min(a.length, b.length)).map((time, round) => time / b[round]));
}

/** Largest difference, relative to the largest logit of the reference. */
export function difference(logits: ArrayLike<number>, reference: ArrayLike<number>): number {
	if (logits.length !== reference.length) return Infinity;
	let most = 0;
	let scale = 0;
	for (let i = 0; i < reference.length; i++) {
		const gap = Math.abs(logits[i] - reference[i]);
		if (!(gap <= most)) most = gap;
		scale = Math.max(scale, Math.abs(reference[i]));
	}
	return most / scale;
}

export function words({ median, low, high }: Spread): string {
	return `${round(median)} (${round(low)}–${round(high)})`;
}

/** Three figures. */
export function round(x: number): string {
	if (x === 0) return '0';
	return x >= 100 ? x.toFixed(0) : x.toPrecision(3).replace(/\.?0+$/, (zeros) => (zeros.startsWith('.') ? '' : zeros));
}
