import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import type { Random } from '$lib/numerics/random.ts';
import { defineMethod, type PromptView } from '../define.ts';
import { BUDGET, evictOnce, KEPT_BYTES, standardise } from '../once.ts';
import { headsOf } from '../slots.ts';
import { unrotated } from '../unrotated.ts';

/** Lower triangle L of a symmetric [k, k] with L L^T = it; null where it is not positive definite. */
export function cholesky(matrix: Float64Array, k: number): Float64Array | null {
	const lower = new Float64Array(k * k);
	for (let i = 0; i < k; i++) {
		for (let j = 0; j <= i; j++) {
			let sum = matrix[i * k + j];
			for (let c = 0; c < j; c++) sum -= lower[i * k + c] * lower[j * k + c];
			if (i === j && !(sum > 0)) return null;
			lower[i * k + j] = i === j ? Math.sqrt(sum) : sum / lower[j * k + j];
		}
	}
	return lower;
}

/** y^T (L L^T)^-1 y of each row y of [n, k], L being a lower triangle. */
export function inverseForms(lower: Float64Array, rows: ArrayLike<number>, k: number): Float64Array {
	const z = new Float64Array(k);
	return Float64Array.from({ length: rows.length / k }, (_, row) => {
		let square = 0;
		for (let i = 0; i < k; i++) {
			let sum = rows[row * k + i];
			for (let c = 0; c < i; c++) sum -= lower[i * k + c] * z[c];
			z[i] = sum / lower[i * k + i];
			square += z[i] * z[i];
		}
		return square;
	});
}

/**
 * y_j^T (Y^T Y + jitter I)^-1 y_j of each row of Y, [n, k]: how far the row lies from what the others
 * span. The jitter begins at 0.01 and grows tenfold, five times at most, until it can be solved.
 */
export function leverages(y: Float64Array, k: number): Float64Array {
	const n = y.length / k;
	const gram = new Float64Array(k * k);
	for (let row = 0; row < n; row++) {
		for (let i = 0; i < k; i++) for (let j = 0; j < k; j++) gram[i * k + j] += y[row * k + i] * y[row * k + j];
	}
	let lower: Float64Array | null = null;
	for (let jitter = 0.01, tries = 0; !lower && tries < 6; jitter *= 10, tries++) {
		lower = cholesky(gram.map((value, at) => value + (at % (k + 1) === 0 ? jitter : 0)), k);
	}
	if (!lower) return new Float64Array(n);
	return inverseForms(lower, y, k);
}

/** Rows of [n, d] minus their mean, then times `sketch`, [d, k], where there is one. */
export function centred(block: Float32Array, d: number, sketch: Float64Array | null): Float64Array {
	const n = block.length / d;
	const mean = new Float64Array(d);
	block.forEach((value, at) => (mean[at % d] += value / n));
	const rows = Float64Array.from(block, (value, at) => value - mean[at % d]);
	if (!sketch) return rows;
	const k = sketch.length / d;
	return Float64Array.from({ length: n * k }, (_, at) => {
		let sum = 0;
		for (let c = 0, row = Math.floor(at / k); c < d; c++) sum += rows[row * d + c] * sketch[c * k + (at % k)];
		return sum;
	});
}

/** Gaussian sketches of a layer, [d, k] for each KV head, entries of variance 1 / k; none where k would not be smaller than d. */
export function sketches(random: Random, layer: LayerCache, k: number): (Float64Array | null)[] {
	const d = layer.headDim;
	if (k >= d) return headsOf(layer).map(() => null);
	const stream = random.fork(`sketch ${layer.layer}`);
	return headsOf(layer).map(() => Float64Array.from({ length: d * k }, () => stream.normal() / Math.sqrt(k)));
}

/** Leverage of the keys before rotation of all slots but the `first` and the `last` ones, in standard units over all heads. */
export function leverageOf(layer: LayerCache, seen: PromptView, sketch: (Float64Array | null)[], first = 0, last = 0): Float64Array[] {
	const d = layer.headDim;
	return standardise(headsOf(layer).map((head) => {
		const keys = unrotated(layer, head, seen.rope).subarray(first * d, Math.max(first, layer.length(head) - last) * d);
		return leverages(centred(keys, d, sketch[head]), sketch[head] ? sketch[head].length / d : d);
	}));
}

export default defineMethod({
	id: 'leverage-score',
	title: 'Leverage scores',
	subtitle: 'keys in directions that few others cover',
	family: 'eviction',
	paper: 'Chari and Van Durme, Compactor: Calibrated Query-Agnostic KV Cache Compression with Approximate Leverage Scores, 2025',
	confidence: 'Follows kvpress 0.5.4 and agrees with its numbers, given its random sketch.',
	ours: 'The sketch is drawn from the seed of the run, so a run can be repeated. Where it would not be smaller than a key, which it would be with the published 48 and small heads, the keys themselves are used. The default is 12.',
	idea: 'A key with high statistical leverage lies in a direction that few others cover: dropping it loses that direction. Keep such outliers. A random sketch to fewer numbers makes it cheap and hardly changes the order.',
	acts: 'After the prompt.',
	formula: String.raw`\ell_j=y_j^\top\big(Y^\top Y+\epsilon I\big)^{-1}y_j,\qquad Y=(K_\text{pre}-\bar K)\,\Phi`,
	bytes: KEPT_BYTES,
	sources: ['https://arxiv.org/abs/2507.08143', 'https://github.com/NVIDIA/kvpress'],
	scorer: true,
	params: {
		budget: BUDGET,
		sketch: { kind: 'int', default: 12, min: 1, max: 256, about: 'Numbers a key in the random sketch; at the width of a head or above, the keys themselves.' }
	},
	needs: () => ({}),
	start({ slots, random }, params) {
		return evictOnce(slots(params.budget as Budget), (layer, seen) => ({
			byHead: leverageOf(layer, seen, sketches(random, layer, params.sketch as number)),
			meaning: 'leverage of the key before rotation, in standard units over the heads of the layer'
		}));
	}
});
