/** Of the queries of a head over many texts: their main direction, their mean and spread. */
import { symmetricEigen } from '$lib/numerics/linear.ts';
import type { QueryStatistics } from '$lib/methods/eviction/expected-attention-score.ts';

/** Sums over rows of d numbers, from which moments follow. */
export class Moments {
	#rows = 0;
	readonly #sum: Float64Array;
	readonly #squares: Float64Array;

	constructor(readonly d: number) {
		this.#sum = new Float64Array(d);
		this.#squares = new Float64Array(d * d);
	}

	/** Adds rows [n, d]. */
	add(rows: ArrayLike<number>): void {
		const { d } = this;
		for (let at = 0; at < rows.length; at += d) {
			for (let i = 0; i < d; i++) {
				this.#sum[i] += rows[at + i];
				for (let j = 0; j <= i; j++) this.#squares[i * d + j] += rows[at + i] * rows[at + j];
			}
			this.#rows++;
		}
	}

	/** Mean, and covariance over one less than there are rows. */
	statistics(): QueryStatistics {
		const { d } = this;
		const rows = Math.max(1, this.#rows);
		const mean = this.#sum.map((sum) => sum / rows);
		return { mean, covariance: this.raw().map((square, at) => (square - rows * mean[Math.floor(at / d)] * mean[at % d]) / Math.max(1, rows - 1)) };
	}

	/** [d, d]: sum of x x^T, not centred. */
	raw(): Float64Array {
		const { d } = this;
		return this.#squares.map((_, at) => {
			const [i, j] = [Math.floor(at / d), at % d];
			return this.#squares[Math.max(i, j) * d + Math.min(i, j)];
		});
	}
}

/**
 * The filter of one query head from its rotated queries, [n, d]: their first right singular vector without
 * centring, of length 1, turned away from the side where more than half of them lie.
 */
export function filterOf(queries: ArrayLike<number>, d: number): Float64Array {
	const moments = new Moments(d);
	moments.add(queries);
	const { vectors } = symmetricEigen(moments.raw(), d);
	const main = Float64Array.from({ length: d }, (_, c) => vectors[c * d]);
	const rows = queries.length / d;
	let ahead = 0;
	for (let row = 0; row < rows; row++) ahead += Number(main.reduce((sum, x, c) => sum + x * queries[row * d + c], 0) > 0);
	return main.map((x) => (2 * ahead > rows ? -x : x));
}
