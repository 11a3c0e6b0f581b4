import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { defineMethod, type PromptView, type Scores } from '../define.ts';
import { BUDGET, evictOnce, KEPT_BYTES } from '../once.ts';
import { meanOf, rowNorms, slotsWhere } from '../select.ts';
import { groupOf, headsOf, rowsOf } from '../slots.ts';
import { raised } from '../wrap.ts';
import { averageTurn, nextAngle, turnRows } from './expected-attention-score.ts';
import { cholesky, inverseForms } from './leverage-score.ts';

/** exp(tau (cos(anchor, k_j) - the largest cosine)) of each key of [n, d]: 1 for the one that is most alike. */
export function likeness(anchor: ArrayLike<number>, keys: ArrayLike<number>, temperature: number): Float64Array {
	const d = anchor.length;
	const [length] = rowNorms(anchor, d);
	const cosines = rowNorms(keys, d).map((norm, row) => {
		let dot = 0;
		for (let c = 0; c < d; c++) dot += anchor[c] * keys[row * d + c];
		return Math.max(-1, Math.min(1, dot / Math.max(norm * length, 1e-8)));
	});
	const most = cosines.reduce((a, b) => Math.max(a, b), -Infinity);
	return cosines.map((cosine) => Math.exp(temperature * (cosine - most)));
}

/**
 * v_j^T M^-1 v_j of each value of [n, d], M = I + the sum of (w_j + epsilon) v_j v_j^T: what a value
 * adds that values of large weight do not hold already.
 */
export function coverage(values: ArrayLike<number>, weights: ArrayLike<number>, d: number, epsilon: number): Float64Array {
	const matrix = new Float64Array(d * d);
	for (let i = 0; i < d; i++) matrix[i * d + i] = 1;
	for (let row = 0; row < weights.length; row++) {
		const weight = weights[row] + epsilon;
		for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) matrix[i * d + j] += weight * values[row * d + i] * values[row * d + j];
	}
	// I + a sum of squares is positive definite, so there is a triangle.
	return inverseForms(cholesky(matrix, d)!, values, d);
}

export default defineMethod({
	id: 'capkv',
	title: 'CapKV',
	subtitle: 'values that add to what the kept ones can say',
	family: 'eviction',
	paper: 'arXiv 2604.25975, 2026; CapPress of kvpress',
	confidence: 'Follows kvpress 0.5.4 and agrees with its numbers. What the paper says beyond that code we know from its description.',
	ours: 'As in kvpress, likeness is a cosine and queries are turned to the mean of the coming positions; the paper takes plain products. Where only the newest queries are at hand, as while generating, coming positions are counted from the end of the text.',
	failures: 'Nothing protects the newest tokens, and what a question asks for counts only as far as it resembles the mean query.',
	idea: 'Take the kept tokens for a channel: its capacity is the logarithm of a determinant, large where values are numerous and point in many directions. Weigh each token by how much its key resembles the mean of the queries to come, and score what its value adds that the others, so weighed, do not hold already.',
	acts: 'After the prompt.',
	formula: String.raw`s_j=\frac1G\sum_{h\in g}w_{hj}\,v_j^\top M_h^{-1}v_j,\quad M_h=I+\sum_i(w_{hi}+\varepsilon)\,v_iv_i^\top,\quad w_{hj}=e^{\tau(\cos(\bar R\mu_h,k_j)-\max_i\cos(\bar R\mu_h,k_i))}`,
	bytes: KEPT_BYTES,
	sources: ['https://arxiv.org/abs/2604.25975', 'https://github.com/NVIDIA/kvpress/pull/233'],
	scorer: true,
	params: {
		budget: BUDGET,
		n_sink: { kind: 'int', default: 4, min: 0, max: 64, about: 'First tokens of the text: they always stay, and take no part in the rest.' },
		n_future: { kind: 'int', default: 512, min: 1, max: 65536, about: 'Positions after the prompt over which the turn of the mean query is averaged.' },
		temperature: { kind: 'number', default: 5, min: 0, max: 100, step: 0.5, about: 'How sharply likeness to the mean query counts; at 0 only the directions of values do.' },
		epsilon: { kind: 'number', default: 1e-6, min: 0, max: 1, step: 0.000001, about: 'Weight that every value has in the determinant besides its own.' }
	},
	needs: () => ({ queriesBefore: true }),
	start(context, params) {
		const { n_sink: sinks, n_future: future, temperature, epsilon } = params as Record<string, number>;
		const score = (layer: LayerCache, seen: PromptView): Scores => {
			const d = layer.headDim;
			const turn = averageTurn(seen.rope.invFreq, nextAngle(layer, seen), future);
			const anchor = (queryHead: number) => {
				const rows = seen.queriesBefore(queryHead);
				const count = rows.length / d;
				const skipped = Math.max(0, sinks - (seen.n - count));
				const from = skipped < count ? skipped : 0;
				return turnRows(meanOf(Array.from({ length: count - from }, (_, i) => rows.subarray((from + i) * d, (from + i + 1) * d))), turn);
			};
			const always = headsOf(layer).map((head) => Uint8Array.from(layer.positions(head), (position) => (position < sinks ? 1 : 0)));
			const parts = headsOf(layer).map((head) => {
				// Sinks stay anyway; the others are judged among themselves.
				const open = slotsWhere(always[head].map((flag) => 1 - flag));
				const [keys, values] = [rowsOf(layer.keys(head), open, d), rowsOf(layer.values(head), open, d)];
				const whole = (row: Float64Array) => {
					const out = new Float64Array(layer.length(head));
					open.forEach((slot, i) => (out[slot] = row[i]));
					return out;
				};
				return groupOf(head, seen.model).map((queryHead) => {
					const weights = likeness(anchor(queryHead), keys, temperature);
					return { weights: whole(weights), added: whole(coverage(values, weights, d, epsilon)) };
				});
			});
			const byHead = parts.map((group) => meanOf(group.map(({ weights, added }) => weights.map((weight, slot) => weight * added[slot]))));
			return {
				byHead: raised({ byHead, always, meaning: '' }), always,
				terms: [
					{ name: 'likeness to the mean query', byHead: parts.map((group) => meanOf(group.map(({ weights }) => weights))) },
					{ name: 'new directions of the value', byHead: parts.map((group) => meanOf(group.map(({ added }) => added))) }
				],
				meaning: 'likeness to the mean of coming queries, times what the value adds to the others'
			};
		};
		return evictOnce(context.slots(params.budget as Budget), score);
	}
});
