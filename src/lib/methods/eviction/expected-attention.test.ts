import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import type { ArmCache } from '$lib/cache/arm-cache.ts';
import { fixtureNormal } from '$lib/numerics/fixture.ts';
import { symmetricEigen } from '$lib/numerics/linear.ts';
import { random } from '$lib/numerics/random.ts';
import type { PromptView } from '../define.ts';
import { partOf, seenOf } from '../part.ts';
import { readMethodSpec, startMethod } from '../start.ts';
import { promptView, Rig } from '../testing/views.ts';
import { averageTurn, expectedLogits, statisticsOf, turnRows, turnStatistics, type Turn } from './expected-attention-score.ts';

const N = 50;
const d = TINY.headDim;
const group = TINY.heads / TINY.kvHeads;
const full = randomArm(N);
const rig = new Rig(full, []);
const viewOf = (layer: number) => promptView(full, layer, (h) => rig.queries(layer, h));
const start = (params: object) => startMethod(readMethodSpec({ method: 'expected-attention', params }), { model: TINY, random: random(1), promptTokens: N });
const scoresOf = (params: object, layer = 0, seen: PromptView = viewOf(layer)) => start(params).score!(full.layers[layer], seen);
const list = (count: number) => Array.from({ length: count }, (_, i) => i);

/** R of the turn as a whole matrix: cosines on the diagonal, sines below it with plus and above it with minus. */
function matrixOf({ cos, sin }: Turn): number[][] {
	const half = cos.length;
	return list(2 * half).map((i) => list(2 * half).map((j) =>
		i === j ? cos[i % half] : i === j + half ? sin[j] : j === i + half ? -sin[i] : 0));
}

/** The card's formula over whole matrices, one step after the other. */
function byHand(arm: ArmCache, layer: number, head: number, { future = 512, sinks = 4, covariance = true, lengths = true, epsilon = 0 }): number[] {
	const seen = viewOf(layer);
	const frequency = list(d / 2).map((i) => TINY.ropeTheta ** ((-2 * i) / d));
	const average = (of: (x: number) => number) => frequency.map((f) => list(future).reduce((sum, p) => sum + of((N + p) * f), 0) / future);
	const R = matrixOf({ cos: Float64Array.from(average(Math.cos)), sin: Float64Array.from(average(Math.sin)) });
	const keys = list(N).map((j) => Array.from(arm.layers[layer].keys(head).subarray(j * d, (j + 1) * d)));
	const means = list(N).map(() => 0);
	for (const h of list(group).map((g) => head * group + g)) {
		const rows = list(N).slice(sinks).map((t) => Array.from(seen.queriesBefore(h).subarray(t * d, (t + 1) * d)));
		const mu = list(d).map((c) => rows.reduce((sum, row) => sum + row[c], 0) / rows.length);
		const S = list(d).map((a) => list(d).map((b) => rows.reduce((sum, row) => sum + (row[a] - mu[a]) * (row[b] - mu[b]), 0) / rows.length));
		const turned = R.map((row) => row.reduce((sum, r, c) => sum + r * mu[c], 0));
		const RS = R.map((row) => list(d).map((b) => row.reduce((sum, r, c) => sum + r * S[c][b], 0)));
		const RSR = RS.map((row) => R.map((other) => row.reduce((sum, x, c) => sum + x * other[c], 0)));
		const z = keys.map((key) => key.reduce((sum, k, i) => sum + (k * turned[i]) / Math.sqrt(d)
			+ (covariance ? (k * key.reduce((inner, l, j) => inner + RSR[i][j] * l, 0)) / (2 * d) : 0), 0));
		const total = z.slice(sinks).reduce((sum, x) => sum + Math.exp(x), 0);
		z.forEach((x, j) => j >= sinks && (means[j] += Math.exp(x) / total / group));
	}
	return means.map((mean, j) => (lengths ? (mean + epsilon) * Math.hypot(...arm.layers[layer].values(head).subarray(j * d, (j + 1) * d)) : mean));
}

describe('the turn to the positions ahead', () => {
	const { invFreq } = full.rope;
	it('has entries of at most 1, and is orthogonal for one position', () => {
		const far = averageTurn(invFreq, N, 512);
		expect(matrixOf(far).flat().every((x) => Math.abs(x) <= 1)).toBe(true);
		const R = matrixOf(averageTurn(invFreq, N, 1));
		R.forEach((a, i) => R.forEach((b, j) => expect(a.reduce((sum, x, c) => sum + x * b[c], 0)).toBeCloseTo(i === j ? 1 : 0, 12)));
	});

	it('for one position turns as a query there is turned, and the mean over positions is the mean of such turns', () => {
		const row = fixtureNormal('turn', d);
		const at = (position: number) => Array.from(full.rope.rotate(row, [position], d));
		Array.from(turnRows(Float64Array.from(row), averageTurn(invFreq, 9, 1))).forEach((x, c) => expect(x).toBeCloseTo(at(9)[c], 5));
		const three = Array.from(turnRows(Float64Array.from(row), averageTurn(invFreq, 9, 3)));
		three.forEach((x, c) => expect(x).toBeCloseTo((at(9)[c] + at(10)[c] + at(11)[c]) / 3, 5));
	});
});

describe('expected-attention', () => {
	it.each([{}, { epsilon: 0.02 }, { covariance: false }, { lengths: false }, { future: 7, sinks: 0 }])('is the formula: %o', (how) => {
		const { covariance: use_covariance = true, lengths: use_vnorm = true, future: n_future = 512, sinks: n_sink = 4, epsilon = 0 } = how as Record<string, never>;
		full.layers.forEach((_, layer) => {
			const { byHead } = scoresOf({ use_covariance, use_vnorm, n_future, n_sink, epsilon }, layer);
			const wanted = [0, 1].map((head) => byHand(full, layer, head, how));
			const most = Math.max(...wanted.flatMap((row) => row.slice(n_sink)));
			byHead.forEach((row, head) => row.forEach((score, j) => expect(score).toBeCloseTo(j < n_sink ? most + 1 : wanted[head][j], 9)));
		});
	});

	it('without covariance and lengths is softmax of the key times the turned mean', () => {
		const seen = viewOf(1);
		const { byHead } = scoresOf({ use_covariance: false, use_vnorm: false, n_sink: 0 }, 1);
		byHead.forEach((row, head) => {
			const wanted = list(N).map(() => 0);
			for (let g = 0; g < group; g++) {
				const queries = seen.queriesBefore(head * group + g);
				const mean = list(d).map((c) => list(N).reduce((sum, t) => sum + queries[t * d + c] / N, 0));
				const query = turnRows(Float64Array.from(mean), averageTurn(full.rope.invFreq, N, 512));
				const keys = full.layers[1].keys(head);
				const weights = list(N).map((j) => Math.exp(query.reduce((sum, q, c) => sum + q * keys[j * d + c], 0) / Math.sqrt(d)));
				weights.forEach((weight, j) => (wanted[j] += weight / weights.reduce((a, b) => a + b) / group));
			}
			row.forEach((score, j) => expect(score).toBeCloseTo(wanted[j], 10));
		});
	});

	it('is the mean of exp(q k / sqrt d) over Gaussian queries, within three standard errors of 1e5 of them', () => {
		const draws = 100_000;
		const { mean, covariance } = turnStatistics(statisticsOf(viewOf(0).queriesBefore(0), d), averageTurn(full.rope.invFreq, N, 64));
		const { values, vectors } = symmetricEigen(covariance, d);
		const source = random('monte carlo');
		const keys = full.layers[0].keys(0).subarray(0, 3 * d);
		const sums = list(3).map(() => [0, 0]);
		for (let draw = 0; draw < draws; draw++) {
			const along = Array.from(values, (value) => Math.sqrt(Math.max(0, value)) * source.normal());
			const query = Array.from(mean, (m, c) => m + along.reduce((sum, x, i) => sum + vectors[c * d + i] * x, 0));
			sums.forEach((sum, j) => {
				const paid = Math.exp(query.reduce((dot, q, c) => dot + q * keys[j * d + c], 0) / Math.sqrt(d));
				sum[0] += paid / draws;
				sum[1] += (paid * paid) / draws;
			});
		}
		expectedLogits(keys, { mean, covariance }).forEach((z, j) => {
			const error = Math.sqrt((sums[j][1] - sums[j][0] ** 2) / draws);
			expect(Math.abs(sums[j][0] - Math.exp(z))).toBeLessThan(3 * error);
		});
	});

	it('keeps positions 0 to 3 whatever else', () => {
		for (const tokens of [4, 9, 30]) for (const layer of new Rig(full, [{ method: 'expected-attention', params: { budget: { tokens } } }]).prefill().arm.layers) {
			for (const head of [0, 1]) expect(Array.from(layer.positions(head).subarray(0, 4))).toEqual([0, 1, 2, 3]);
		}
	});

	it('looks ahead from where the next token stands, with keys that were numbered anew, too', () => {
		const stack = [{ method: 'streaming-llm', params: { budget: { tokens: 20 }, rerotate: true } }];
		const { arm } = new Rig(full, stack).prefill();
		const statistics = statisticsOf(viewOf(0).queriesBefore(0).subarray(4 * d), d);
		const [row] = start({ use_vnorm: false }).score!(arm.layers[0], viewOf(0)).byHead;
		const z = expectedLogits(arm.layers[0].keys(0), turnStatistics(statistics, averageTurn(full.rope.invFreq, 20, 512)));
		const other = expectedLogits(arm.layers[0].keys(0), turnStatistics(statisticsOf(viewOf(0).queriesBefore(1).subarray(4 * d), d), averageTurn(full.rope.invFreq, 20, 512)));
		const share = (all: Float64Array, j: number) => Math.exp(all[j]) / all.slice(4).reduce((sum, x) => sum + Math.exp(x), 0);
		for (let j = 4; j < 20; j++) expect(row[j]).toBeCloseTo((share(z, j) + share(other, j)) / 2, 10);
	});

	it('of a part of the text sees the queries of that part', () => {
		const part = partOf(full.layers[0], [list(12), list(12)].map((slots) => slots.map((slot) => slot + 10)));
		const seen = seenOf(viewOf(0), part, 10, 22);
		for (let h = 0; h < TINY.heads; h++) expect(seen.queriesBefore(h)).toEqual(viewOf(0).queriesBefore(h).slice(10 * d, 22 * d));
		const [row] = start({ n_sink: 0, use_vnorm: false, use_covariance: false, n_future: 1 }).score!(part, seen).byHead;
		const logits = [0, 1].map((h) => expectedLogits(part.keys(0), turnStatistics(statisticsOf(viewOf(0).queriesBefore(h).slice(10 * d, 22 * d), d), averageTurn(full.rope.invFreq, 22, 1)), false));
		const shares = logits.map((z) => z.map((x) => Math.exp(x) / z.reduce((sum, y) => sum + Math.exp(y), 0)));
		row.forEach((score, j) => expect(score).toBeCloseTo((shares[0][j] + shares[1][j]) / 2, 10));
	});

	it('where only the newest queries are at hand counts on from the end of the text; released takes their number for its length', () => {
		const view = viewOf(0);
		const newest = { ...view, queriesBefore: (h: number) => view.queriesBefore(h).slice(-10 * d) };
		const scored = (variant: string) => scoresOf({ variant, use_covariance: false, use_vnorm: false, n_sink: 4 }, 0, newest).byHead[0];
		const wanted = (skip: number, from: number) => {
			const parts = [0, 1].map((h) => {
				const z = expectedLogits(full.layers[0].keys(0), turnStatistics(statisticsOf(newest.queriesBefore(h).subarray(skip * d), d), averageTurn(full.rope.invFreq, from, 512)), false);
				const total = z.slice(4).reduce((sum, x) => sum + Math.exp(x), 0);
				return z.map((x) => Math.exp(x) / total);
			});
			return parts[0].map((x, j) => (x + parts[1][j]) / 2);
		};
		wanted(0, N).slice(4).forEach((x, j) => expect(scored('ours')[4 + j]).toBeCloseTo(x, 10));
		wanted(4, 10).slice(4).forEach((x, j) => expect(scored('released')[4 + j]).toBeCloseTo(x, 10));
		const few = { ...view, queriesBefore: (h: number) => view.queriesBefore(h).slice(-3 * d) };
		for (const variant of ['ours', 'released']) expect(scoresOf({ variant }, 0, few).byHead.flatMap((row) => Array.from(row)).every(Number.isFinite)).toBe(true);
	});
});
