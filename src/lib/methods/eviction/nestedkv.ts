import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { allocate } from '../budget-allocation/adakv.ts';
import { decision, termsOf } from '../decide.ts';
import { defineMethod, type Scores } from '../define.ts';
import { BUDGET, isOver } from '../once.ts';
import { headsOf } from '../slots.ts';
import { cosineWith, directions } from './keydiff.ts';

export interface NestedRule {
	/** Tokens a block; 0 is the published rule: a 32nd of the text, 128 to 256. */
	block: number;
	window: number;
	beta: number;
	kappa: number;
	tau: number;
	/** Weights before reliability: stable, episodic, current. */
	prior: readonly [number, number, number];
}

const PRIOR = [0.4, 0.4, 0.2] as const;
const SCALES = ['stable', 'episodic', 'current'] as const;

/** To [0, 1] between least and largest; 0 where all are equal (up to rounding). */
export function minMax(row: Float64Array): Float64Array {
	const least = row.reduce((a, b) => Math.min(a, b), Infinity);
	const range = row.reduce((a, b) => Math.max(a, b), -Infinity) - least;
	return row.map((value) => (range > 1e-9 ? (value - least) / range : 0));
}

/** Minus the cosine of each key with the mean direction of the whole text, of its block, of the window that ends with it. */
export function anomalies(keys: ArrayLike<number>, d: number, block: number, window: number): Float64Array[] {
	const unit = directions(keys, d);
	const n = unit.length / d;
	const size = block || Math.min(256, Math.max(128, Math.floor(n / 32)));
	// sums[i] = sum of the first i unit keys.
	const sums = new Float64Array((n + 1) * d);
	unit.forEach((value, at) => (sums[at + d] = sums[at] + value));
	const against = (from: (i: number) => number, to: (i: number) => number) => Float64Array.from({ length: n }, (_, i) => {
		const [a, b] = [from(i), Math.min(n, to(i))];
		const anchor = Float64Array.from({ length: d }, (_, c) => (sums[b * d + c] - sums[a * d + c]) / (b - a));
		return -cosineWith(unit, d, i, anchor);
	});
	return [
		against(() => 0, () => n),
		against((i) => i - (i % size), (i) => i - (i % size) + size),
		against((i) => Math.max(0, i - window + 1), (i) => i + 1)
	];
}

/** Mean of the largest tenth minus mean of the smallest tenth, one number at least. */
export function gap(row: Float64Array): number {
	const sorted = row.slice().sort();
	const tenth = Math.max(1, Math.floor(row.length / 10));
	const mean = (part: Float64Array) => part.reduce((a, b) => a + b, 0) / part.length;
	return mean(sorted.subarray(sorted.length - tenth)) - mean(sorted.subarray(0, tenth));
}

/** Scores of one head's keys, [n, d], with what they are made of. */
export function nested(keys: ArrayLike<number>, d: number, rule: NestedRule): { scores: Float64Array; scales: Float64Array[]; weights: number[]; gate: Float64Array } {
	const scales = anomalies(keys, d, rule.block, rule.window).map(minMax);
	const raw = scales.map((row, x) => rule.prior[x] * Math.exp(rule.beta * gap(row)));
	const total = raw.reduce((a, b) => a + b, 0);
	const weights = raw.map((weight) => weight / total);
	const surprise = minMax(scales[0].map((_, i) => {
		const mean = (scales[0][i] + scales[1][i] + scales[2][i]) / 3;
		return Math.sqrt(scales.reduce((sum, row) => sum + (row[i] - mean) ** 2, 0) / 3);
	}));
	const mean = surprise.reduce((a, b) => a + b, 0) / surprise.length;
	const gate = surprise.map((s) => gateOf(Math.max(0, s - mean), rule));
	const scores = gate.map((gamma, i) => {
		const blended = scales.reduce((sum, row, x) => sum + weights[x] * row[i], 0);
		return (1 - gamma) * blended + gamma * Math.max(scales[0][i], scales[1][i], scales[2][i]);
	});
	return { scores, scales, weights, gate };
}

/** How much the most alarmed scale is believed, 0 to 1. */
export const gateOf = (surprise: number, { kappa, tau }: { kappa: number; tau: number }): number => 1 / (1 + Math.exp(-kappa * (surprise - tau)));

export default defineMethod({
	id: 'nestedkv',
	title: 'NestedKV',
	subtitle: 'surprising keys, on three scales',
	family: 'eviction',
	paper: 'NestedKV: Nested Memory Routing for Long-Context KV Cache Compression, 2026',
	confidence: 'From the paper and its table of constants; no official code was found, so nothing could be compared.',
	ours: 'Reliability is the mean of the top tenth minus the mean of the bottom tenth, and the standard deviation over scales divides by 3; the paper leaves both open. Blocks of 32 and a window of 16 are our scaling for short texts; published are a 32nd of the text, from 128 to 256 (block 0), and 64.',
	failures: 'At light compression SnapKV is reported to be about equal or better on LongBench. Keys are compared as they are rotated, so a key may stand out by its position alone.',
	idea: 'A token is worth keeping if its key is surprising. Compared with what? With the whole text, with its own passage, or with the last few tokens. Score all three, trust in each head the scale that tells tokens apart best, and where the three disagree believe the most alarmed. No attention is needed.',
	acts: 'After the prompt.',
	formula: String.raw`a_x(i)=-\cos(\hat k_i,\mu_x(i)),\qquad a^*=(1-\gamma)\sum_x w_x\tilde a_x+\gamma\max_x\tilde a_x`,
	bytes: 'As many slots as with equal heads, 4 d + 2 bytes each, and 4 (H + 1) bytes of offsets a layer.',
	sources: ['https://arxiv.org/abs/2605.26678'],
	scorer: true,
	params: {
		budget: { ...BUDGET, about: 'How much of the cache stays, on average over the heads.' },
		block: { kind: 'int', default: 32, min: 0, max: 1024, about: 'Tokens a passage; 0 takes a 32nd of the text, from 128 to 256.' },
		window: { kind: 'int', default: 16, min: 1, max: 1024, about: 'Tokens up to and with the current one that it is compared with.' },
		beta: { kind: 'number', default: 3, min: 0, max: 20, step: 0.5, about: 'How strongly a head trusts the scale that tells tokens apart best.' },
		kappa: { kind: 'number', default: 10, min: 0, max: 100, step: 1, about: 'How sharply the gate opens.' },
		tau: { kind: 'number', default: 0.6, min: 0, max: 1, step: 0.05, about: 'Surprise at which the gate is half open.' },
		n_sink: { kind: 'int', default: 4, min: 0, max: 64, about: 'First tokens of the text that always stay.' },
		alpha: { kind: 'number', default: 0.2, min: 0, max: 1, step: 0.05, about: 'Share of the budget that every head is sure of; 1 makes all heads equal.' }
	},
	needs: () => ({}),
	start(context, params) {
		const { kvHeads } = context.model;
		const { block, window, beta, kappa, tau, n_sink: sinks, alpha } = params as Record<string, number>;
		const capacity = context.slots(params.budget as Budget, (4 * (kvHeads + 1)) / kvHeads, 0, true);
		const score = (layer: LayerCache): Scores => {
			const heads = headsOf(layer).map((head) => nested(layer.keys(head), layer.headDim, { block, window, beta, kappa, tau, prior: PRIOR }));
			return {
				byHead: heads.map(({ scores }) => scores),
				always: headsOf(layer).map((head) => Uint8Array.from(layer.positions(head), (position) => (position < sinks ? 1 : 0))),
				terms: [
					...SCALES.map((name, x) => ({ name: `${name} anomaly`, byHead: heads.map(({ scales }) => scales[x]) })),
					{ name: 'gate', byHead: heads.map(({ gate }) => gate) }
				],
				meaning: 'how surprising the key is on three scales'
			};
		};
		return {
			score,
			prefilled(layer) {
				if (!isOver(layer, capacity)) return;
				const scores = score(layer);
				const { kept, safe } = allocate(layer, scores, capacity, alpha);
				for (const head of headsOf(layer)) {
					if (kept[head].length === layer.length(head)) continue;
					layer.keep(head, kept[head], {
						decision: decision({
							positions: layer.positions(head), scores: scores.byHead[head], safe: safe[head], kept: kept[head],
							terms: termsOf(scores, head), meaning: `${scores.meaning}; one cut for all heads of the layer`
						})
					});
				}
			}
		};
	}
});
