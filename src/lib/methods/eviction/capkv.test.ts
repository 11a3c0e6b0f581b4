import { describe, expect, it } from 'vitest';
import { ArmCache } from '$lib/cache/arm-cache.ts';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { fixtureNormal } from '$lib/numerics/fixture.ts';
import { random } from '$lib/numerics/random.ts';
import { readMethodSpec, startMethod } from '../start.ts';
import { promptView, Rig } from '../testing/views.ts';
import { coverage, likeness } from './capkv.ts';

const N = 40;
const d = TINY.headDim;
const full = randomArm(N);
const rig = new Rig(full, []);
const list = (count: number) => Array.from({ length: count }, (_, i) => i);
const sum = (numbers: Iterable<number>) => [...numbers].reduce((a, b) => a + b, 0);
const row = (block: ArrayLike<number>, i: number) => list(d).map((c) => block[i * d + c]);
const scoresOf = (params: object, layer = 0, arm: ArmCache = full) =>
	startMethod(readMethodSpec({ method: 'capkv', params }), { model: TINY, random: random(1), promptTokens: N })
		.score!(arm.layers[layer], promptView(arm, layer, (h) => rig.queries(layer, h)));

/** The inverse, by elimination on [matrix | 1]. */
function inverse(matrix: number[][]): number[][] {
	const wide = matrix.map((line, i) => [...line, ...matrix.map((_, j) => (i === j ? 1 : 0))]);
	wide.forEach((line, i) => {
		const pivot = line[i];
		line.forEach((x, c) => (line[c] = x / pivot));
		wide.forEach((other, o) => {
			const times = other[i];
			if (o !== i) other.forEach((x, c) => (other[c] = x - times * line[c]));
		});
	});
	return wide.map((line) => line.slice(matrix.length));
}

const channel = (values: number[][], weights: number[], epsilon: number) => list(d).map((a) => list(d).map((b) =>
	(a === b ? 1 : 0) + sum(values.map((v, j) => (weights[j] + epsilon) * v[a] * v[b]))));
const form = (M: number[][], v: number[]) => sum(v.map((x, a) => x * sum(v.map((y, b) => M[a][b] * y))));

/** The card's formula, one token after the other. */
function byHand(layer: number, head: number, { sinks = 4, future = 512, tau = 5, epsilon = 1e-6 }): number[] {
	const seen = promptView(full, layer, (h) => rig.queries(layer, h));
	const scores = list(N).map(() => 0);
	for (const h of [2 * head, 2 * head + 1]) {
		const mean = list(d).map((c) => sum(list(N - sinks).map((t) => seen.queriesBefore(h)[(t + sinks) * d + c])) / (N - sinks));
		const anchor = list(d).map((c) => sum(list(future).map((p) => {
			const angle = (N + p) * TINY.ropeTheta ** ((-2 * (c % (d / 2))) / d);
			return mean[c] * Math.cos(angle) + (c < d / 2 ? -mean[c + d / 2] : mean[c - d / 2]) * Math.sin(angle);
		})) / future);
		const open = list(N).slice(sinks);
		const [keys, values] = [open.map((j) => row(full.layers[layer].keys(head), j)), open.map((j) => row(full.layers[layer].values(head), j))];
		const cosines = keys.map((key) => sum(key.map((x, c) => x * anchor[c])) / (Math.hypot(...key) * Math.hypot(...anchor)));
		const weights = cosines.map((c) => Math.exp(tau * (c - Math.max(...cosines))));
		const M = inverse(channel(values, weights, epsilon));
		values.forEach((v, j) => (scores[sinks + j] += (weights[j] * form(M, v)) / 2));
	}
	return scores;
}

describe('capkv', () => {
	it.each([{}, { sinks: 0, tau: 2 }, { future: 1, epsilon: 0.3 }])('scores what the formula says, with %o', ({ sinks = 4, future = 512, tau = 5, epsilon = 1e-6 }) => {
		for (const layer of [0, 1]) {
			const { byHead, always } = scoresOf({ n_sink: sinks, n_future: future, temperature: tau, epsilon }, layer);
			const wanted = [0, 1].map((head) => byHand(layer, head, { sinks, future, tau, epsilon }));
			const most = Math.max(...wanted.flat());
			byHead.forEach((scores, head) => scores.forEach((score, j) => {
				expect(always![head][j]).toBe(j < sinks ? 1 : 0);
				expect(score).toBeCloseTo(j < sinks ? most + 1 : wanted[head][j], 7);
			}));
		}
	});

	it('the shares of all tokens add up to d less the trace of the inverse', () => {
		for (const size of [0.01, 1, 30]) {
			const values = fixtureNormal('cap v', N * d).map((x) => x * size);
			const weights = Array.from(fixtureNormal('cap w', N), Math.abs);
			const epsilon = 0.01;
			const total = sum(coverage(values, weights, d, epsilon).map((share, j) => (weights[j] + epsilon) * share));
			const M = inverse(channel(list(N).map((j) => row(values, j)), weights, epsilon));
			expect(total).toBeCloseTo(d - sum(list(d).map((c) => M[c][c])), 9);
			expect(total).toBeGreaterThan(0);
			expect(total).toBeLessThan(d);
		}
	});

	it('is the plain ridge leverage of values at temperature 0', () => {
		const { byHead } = scoresOf({ temperature: 0, n_sink: 0, epsilon: 0 });
		byHead.forEach((scores, head) => {
			const values = list(N).map((j) => row(full.layers[0].values(head), j));
			const M = inverse(channel(values, values.map(() => 1), 0));
			scores.forEach((score, j) => expect(score).toBeCloseTo(form(M, values[j]), 9));
		});
	});

	it('is weight times square length where values are small', () => {
		const values = fixtureNormal('cap v', N * d).map((x) => x * 1e-4);
		const weights = Array.from(fixtureNormal('cap w', N), Math.abs);
		coverage(values, weights, d, 1e-6).forEach((share, j) => expect(share / sum(row(values, j).map((x) => x * x))).toBeCloseTo(1, 5));
	});

	it('weighs the key most like the anchor 1, and copes with keys and anchors of no length', () => {
		const anchor = [1, 0, 0, 0];
		const keys = Float32Array.of(2, 0, 0, 0, 0, 3, 0, 0, -1, 0, 0, 0, 0, 0, 0, 0);
		const weights = Array.from(likeness(anchor, keys, 3));
		[1, Math.exp(-3), Math.exp(-6), Math.exp(-3)].forEach((wanted, j) => expect(weights[j]).toBeCloseTo(wanted, 12));
		expect(Array.from(likeness([0, 0, 0, 0], keys, 3))).toEqual([1, 1, 1, 1]);
	});

	it('prefers, of two tokens with equal keys, the one whose value nobody else has', () => {
		const n = 12;
		const keys = new Float32Array(TINY.kvHeads * n * d).fill(0.5);
		const values = new Float32Array(TINY.kvHeads * n * d);
		for (let at = 0; at < TINY.kvHeads * n; at++) values[at * d + (at % n === 7 ? 1 : 0)] = 1;
		const arm = ArmCache.fromPrompt({ shape: TINY, n, keys: () => keys, values: () => values, rope: full.rope });
		const small = new Rig(arm, [{ method: 'capkv', params: { n_sink: 0, temperature: 0, budget: { tokens: 2 } } }]).prefill();
		for (const layer of small.arm.layers) expect(Array.from(layer.positions(0))).toEqual([0, 7]);
	});
});
