/** Topics of a text: windows of tokens, grouped by the mean of their embeddings. Pure, on plain arrays. */
import type { Random } from '$lib/numerics/random.ts';

/** Starts of k-means, of which the best counts. */
const RESTARTS = 10;
const MOST_ROUNDS = 100;

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
	let sum = 0;
	for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
	return sum;
};

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
	let sum = 0;
	for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
	return sum;
}

/** Pieces of `size` tokens, the last may be shorter; none of nothing. */
export const windowsOf = (ids: readonly number[], size: number): number[][] =>
	Array.from({ length: Math.ceil(ids.length / size) }, (_, i) => ids.slice(i * size, (i + 1) * size));

/** Mean of the tokens' embeddings at length 1. */
export function meanEmbedding(ids: readonly number[], embedding: (id: number) => ArrayLike<number>): Float64Array {
	let sum = new Float64Array(0);
	for (const id of ids) {
		const vector = embedding(id);
		if (sum.length === 0) sum = new Float64Array(vector.length);
		for (let i = 0; i < vector.length; i++) sum[i] += vector[i];
	}
	const length = Math.sqrt(dot(sum, sum)) || 1;
	return sum.map((x) => x / length);
}

export interface Clusters {
	centres: Float64Array[];
	/** Cluster of each point. */
	of: Int32Array;
	/** Sum of squared distances to the own centre. */
	spread: number;
}

/** K-means by Lloyd's rounds from ten random starts; at most as many clusters as points. Equal distances go to the first centre. */
export function kMeans(points: readonly Float64Array[], count: number, random: Random): Clusters {
	let best: Clusters | null = null;
	for (let start = 0; start < RESTARTS; start++) {
		const found = lloyd(points, random.fork(`start ${start}`).sample(points, Math.min(count, points.length)));
		if (!best || found.spread < best.spread) best = found;
	}
	return best!;
}

function lloyd(points: readonly Float64Array[], start: readonly Float64Array[]): Clusters {
	let centres = [...start];
	let of = new Int32Array(0);
	for (let round = 0; round < MOST_ROUNDS; round++) {
		const next = Int32Array.from(points, (point) => nearest(centres, (centre) => -distance(point, centre)));
		if (String(next) === String(of)) break;
		of = next;
		centres = centres.map((centre, e) => meanOfPoints(points.filter((_, i) => of[i] === e)) ?? centre);
	}
	return { centres, of, spread: points.reduce((sum, point, i) => sum + distance(point, centres[of[i]]), 0) };
}

function meanOfPoints(points: readonly Float64Array[]): Float64Array | null {
	if (points.length === 0) return null;
	return points[0].map((_, c) => points.reduce((sum, point) => sum + point[c], 0) / points.length);
}

function nearest(centres: readonly Float64Array[], closeness: (centre: Float64Array) => number): number {
	const near = centres.map(closeness);
	return near.reduce((best, value, e) => (value > near[best] ? e : best), 0);
}

/** The episode whose centre has the largest product with the question's embedding. */
export const episodeOf = (centres: readonly Float64Array[], question: Float64Array): number => nearest(centres, (centre) => dot(question, centre));

/** The windows that stand for a cluster: the `count` with the largest cosine to its centre, in the order of the text. */
export function medoids(points: readonly Float64Array[], { centres, of }: Clusters, cluster: number, count: number): number[] {
	const cosine = (i: number) => dot(points[i], centres[cluster]);
	return points.map((_, i) => i).filter((i) => of[i] === cluster).sort((a, b) => cosine(b) - cosine(a) || a - b).slice(0, count).sort((a, b) => a - b);
}

/**
 * Slots of each layer from how little its keys change when the text is read in blocks (`alike`, mean cosine):
 * the more they change, the more it gets, and no layer less than a quarter of `mean`. As released, the
 * quarter comes on top; otherwise the other layers pay for it.
 */
export function layerBudgets(alike: readonly number[], mean: number, power: number, released: boolean): number[] {
	const [low, high] = [Math.min(...alike), Math.max(...alike)];
	if (power === 0 || !(high > low)) return alike.map(() => mean);
	const weights = alike.map((rho) => (1 - (rho - low) / (high - low)) ** power);
	const least = Math.floor(mean / 4);
	const share = (at: readonly boolean[]) => {
		const left = alike.length * mean - at.filter(Boolean).length * least;
		const total = weights.reduce((sum, weight, l) => sum + (at[l] ? 0 : weight), 0);
		return weights.map((weight, l) => (at[l] ? least : Math.trunc((left * weight) / total)));
	};
	let floored = alike.map(() => false);
	let budgets = share(floored);
	if (released) return budgets.map((budget) => Math.max(budget, least));
	while (budgets.some((budget, l) => !floored[l] && budget < least)) {
		floored = budgets.map((budget, l) => floored[l] || budget < least);
		budgets = share(floored);
	}
	return budgets;
}
