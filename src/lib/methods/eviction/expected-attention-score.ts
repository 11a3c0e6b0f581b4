/**
 * Queries that are still to come, taken as a Gaussian: its turn to the positions ahead, the attention that it
 * pays on average, and scores from that. What Expected Attention shares with its form with shipped statistics.
 */
import type { LayerCache } from '$lib/cache/types.ts';
import type { Params, ParamSpec, PromptView, Scores } from '../define.ts';
import { meanOf, rowNorms } from '../select.ts';
import { groupOf, headsOf } from '../slots.ts';
import { raised } from '../wrap.ts';

/** Of one query head's queries before rotation. */
export interface QueryStatistics {
	/** [d] */
	mean: Float64Array;
	/** [d, d], symmetric. */
	covariance: Float64Array;
}

/** Of `rows`, [n, d]; the covariance is divided by n - `lost`. Zeros where there are no rows. */
export function statisticsOf(rows: ArrayLike<number>, d: number, lost = 0): QueryStatistics {
	const n = rows.length / d;
	const mean = new Float64Array(d);
	for (let at = 0; at < rows.length; at++) mean[at % d] += rows[at] / n;
	const covariance = new Float64Array(d * d);
	const centred = new Float64Array(d);
	for (let row = 0; row < n; row++) {
		for (let c = 0; c < d; c++) centred[c] = rows[row * d + c] - mean[c];
		for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) covariance[i * d + j] += centred[i] * centred[j];
	}
	return { mean, covariance: covariance.map((sum) => sum / Math.max(1, n - lost)) };
}

/** By pair of channels, [d / 2] each: the cosine and the sine of an angle, or their means over several. */
export interface Turn {
	cos: Float64Array;
	sin: Float64Array;
}

/** The mean of the turns to the positions from, from + 1, ... of which there are `count`. */
export function averageTurn(invFreq: Float64Array, from: number, count: number): Turn {
	const mean = (of: (angle: number) => number) => invFreq.map((frequency) => {
		let sum = 0;
		for (let i = 0; i < count; i++) sum += of((from + i) * frequency);
		return sum / count;
	});
	return { cos: mean(Math.cos), sin: mean(Math.sin) };
}

/** Each row of [n, d] turned: channel i with channel i + d / 2. */
export function turnRows(rows: Float64Array, { cos, sin }: Turn): Float64Array {
	const half = cos.length;
	const out = new Float64Array(rows.length);
	for (let at = 0; at < rows.length; at += 2 * half) {
		for (let i = 0; i < half; i++) {
			const [x, y] = [rows[at + i], rows[at + half + i]];
			out[at + i] = x * cos[i] - y * sin[i];
			out[at + half + i] = y * cos[i] + x * sin[i];
		}
	}
	return out;
}

/** The statistics of turned queries: R mean, and R covariance R^T. */
export function turnStatistics({ mean, covariance }: QueryStatistics, turn: Turn): QueryStatistics {
	const d = mean.length;
	// Turning rows multiplies by R^T from the right; the covariance is symmetric, so it takes both sides in turn.
	const right = turnRows(covariance, turn);
	const left = covariance.map((_, at) => right[(at % d) * d + Math.floor(at / d)]);
	return { mean: turnRows(mean, turn), covariance: turnRows(left, turn) };
}

/** The logarithm of the mean of exp(q k / sqrt d) over the Gaussian, for each key of [n, d]. */
export function expectedLogits(keys: ArrayLike<number>, { mean, covariance }: QueryStatistics, withCovariance = true): Float64Array {
	const d = mean.length;
	return Float64Array.from({ length: keys.length / d }, (_, row) => {
		let [first, second] = [0, 0];
		for (let i = 0; i < d; i++) {
			const key = keys[row * d + i];
			first += key * mean[i];
			let sum = 0;
			for (let j = 0; withCovariance && j < d; j++) sum += covariance[i * d + j] * keys[row * d + j];
			second += key * sum;
		}
		return first / Math.sqrt(d) + second / (2 * d);
	});
}

/** softmax over the entries where `open` is 1; 0 elsewhere. */
function softmaxOver(logits: Float64Array, open: Uint8Array): Float64Array {
	const most = logits.reduce((max, value, i) => (open[i] ? Math.max(max, value) : max), -Infinity);
	const weights = logits.map((value, i) => (open[i] ? Math.exp(value - most) : 0));
	const sum = weights.reduce((a, b) => a + b, 0);
	return sum > 0 ? weights.map((weight) => weight / sum) : weights;
}

/** The parameters of both forms, besides the budget. */
export const EXPECTED_PARAMS = {
	n_future: { kind: 'int', default: 512, min: 1, max: 65536, about: 'Positions after the prompt over which the turn of the queries is averaged; best as many as will be written.' },
	n_sink: { kind: 'int', default: 4, min: 0, max: 64, about: 'First tokens of the text: they always stay and do not count for the statistics.' },
	use_covariance: { kind: 'boolean', default: true, about: 'Whether the spread of the queries counts, not only their mean.' },
	use_vnorm: { kind: 'boolean', default: true, about: 'Whether the expected attention is multiplied by the length of the value.' },
	epsilon: { kind: 'number', default: 0, min: 0, max: 1, step: 0.01, about: 'Added to the expected attention before that, so that a large value counts where little attention is expected.' }
} as const satisfies Record<string, ParamSpec>;

/**
 * Expected attention of queries with these statistics (by query head, before rotation), turned to the positions
 * from `from` on: softmax over the slots that are no sinks, mean over the group, times the length of the value.
 * Sinks get the layer's largest score + 1 and always stay.
 */
export function expectedScores(layer: LayerCache, seen: PromptView, statistics: (queryHead: number) => QueryStatistics, from: number, params: Params): Scores {
	const { n_future: count, n_sink: sinks, epsilon } = params as Record<string, number>;
	const turn = averageTurn(seen.rope.invFreq, from, count);
	const always = headsOf(layer).map((head) => Uint8Array.from(layer.positions(head), (position) => (position < sinks ? 1 : 0)));
	const expected = headsOf(layer).map((head) => {
		const open = always[head].map((flag) => 1 - flag);
		const keys = layer.keys(head);
		return meanOf(groupOf(head, seen.model).map((queryHead) =>
			softmaxOver(expectedLogits(keys, turnStatistics(statistics(queryHead), turn), params.use_covariance as boolean), open)));
	});
	const lengths = headsOf(layer).map((head) => rowNorms(layer.values(head), layer.headDim));
	const byHead = expected.map((row, head) => (params.use_vnorm ? row.map((value, slot) => (value + epsilon) * lengths[head][slot]) : row));
	return {
		byHead: raised({ byHead, always, meaning: '' }), always,
		terms: [{ name: 'expected attention', byHead: expected }, { name: 'length of the value', byHead: lengths }],
		meaning: `attention that coming queries are expected to pay${params.use_vnorm ? ', times the length of the value' : ''}`
	};
}

/** Where the next token stands: behind the prompt, or behind the last key where keys were numbered anew. */
export function nextAngle(layer: LayerCache, seen: PromptView): number {
	const [positions, angles] = [layer.positions(0), layer.rotaryPositions(0)];
	return positions.every((position, slot) => position === angles[slot]) ? seen.n : layer.length(0);
}
