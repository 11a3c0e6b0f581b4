import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { fixtureNormal } from '$lib/numerics/fixture.ts';
import { Rig } from '../testing/views.ts';
import { oddKeys } from './keydiff.ts';
import { anomalies, gap, gateOf, minMax, nested } from './nestedkv.ts';

const d = TINY.headDim;
const N = 90;
const keys = fixtureNormal('keys', N * d);
const rule = { block: 32, window: 16, beta: 3, kappa: 10, tau: 0.6, prior: [0.4, 0.4, 0.2] as const };
const row = (x: ArrayLike<number>, i: number) => Array.from({ length: d }, (_, c) => x[i * d + c]);
const unit = (x: number[]) => x.map((value) => value / Math.hypot(...x));
const order = (x: ArrayLike<number>) => Array.from(x, (_, j) => j).sort((a, b) => x[b] - x[a]);
const closeTo = (found: ArrayLike<number>, wanted: ArrayLike<number>, digits: number) =>
	Array.from(found).forEach((x, i) => expect(x).toBeCloseTo(wanted[i], digits));

/** Minus the cosine of key i with the mean of unit keys from `from` up to `to`. */
function anomaly(i: number, from: number, to: number): number {
	const units = Array.from({ length: to - from }, (_, j) => unit(row(keys, from + j)));
	const mean = units[0].map((_, c) => units.reduce((sum, u) => sum + u[c], 0) / units.length);
	return -unit(row(keys, i)).reduce((sum, x, c) => sum + x * unit(mean)[c], 0);
}

describe('nestedkv', () => {
	it('follows the formulas', () => {
		const found = anomalies(keys, d, 32, 16);
		const wanted = [
			(i: number) => anomaly(i, 0, N),
			(i: number) => anomaly(i, 32 * Math.floor(i / 32), Math.min(N, 32 * Math.floor(i / 32) + 32)),
			(i: number) => anomaly(i, Math.max(0, i - 15), i + 1)
		];
		found.forEach((each, x) => each.forEach((value, i) => expect(value).toBeCloseTo(wanted[x](i), 9)));
		const scales = found.map((each) => Array.from(each, (v) => (v - Math.min(...each)) / (Math.max(...each) - Math.min(...each))));
		const tenth = (x: number[]) => [...x].sort((a, b) => a - b);
		const mean = (x: number[]) => x.reduce((a, b) => a + b) / x.length;
		const raw = scales.map((x, s) => rule.prior[s] * Math.exp(3 * (mean(tenth(x).slice(-9)) - mean(tenth(x).slice(0, 9)))));
		const deviations = scales[0].map((_, i) => {
			const three = scales.map((x) => x[i]);
			return Math.sqrt(mean(three.map((x) => (x - mean(three)) ** 2)));
		});
		const s = deviations.map((x) => (x - Math.min(...deviations)) / (Math.max(...deviations) - Math.min(...deviations)));
		const result = nested(keys, d, rule);
		closeTo(result.weights, raw.map((w) => w / raw.reduce((a, b) => a + b)), 9);
		result.scores.forEach((score, i) => {
			const gate = 1 / (1 + Math.exp(-10 * (Math.max(0, s[i] - mean(s)) - 0.6)));
			const blended = scales.reduce((sum, x, k) => sum + result.weights[k] * x[i], 0);
			expect(score).toBeCloseTo((1 - gate) * blended + gate * Math.max(...scales.map((x) => x[i])), 9);
		});
	});

	it('does not change when keys are scaled one by one, or all turned together', () => {
		const before = nested(keys, d, rule).scores;
		closeTo(nested(keys.map((x, at) => x * (1 + (Math.floor(at / d) % 5))), d, rule).scores, before, 5);
		const turned = Float64Array.from(keys, (x, at) => {
			const [c, from] = [at % d, at - (at % d)];
			if (c > 1) return x;
			return c === 0 ? 0.6 * keys[from] - 0.8 * keys[from + 1] : 0.8 * keys[from] + 0.6 * keys[from + 1];
		});
		closeTo(nested(turned, d, rule).scores, before, 9);
	});

	it('is KeyDiff with the gate shut and only the stable scale', () => {
		const [layer] = randomArm(60).layers;
		oddKeys(layer).byHead.forEach((scores, head) => {
			const { scores: found } = nested(layer.keys(head), d, { ...rule, prior: [1, 0, 0], kappa: 1e6, tau: 2 });
			expect(order(found)).toEqual(order(scores));
		});
	});

	it('has one block up to 128 tokens by the published rule, and a causal prefix as window up to its length', () => {
		const [stable, episodic, current] = anomalies(keys, d, 0, 128);
		closeTo(episodic, stable, 12);
		current.forEach((value, i) => expect(value).toBeCloseTo(anomaly(i, 0, i + 1), 9));
	});

	it('is 0 on all scales for equal keys, and 1 for a single outlier', () => {
		const equal = Float64Array.from({ length: N * d }, (_, at) => (at % d) - 2);
		const { scales, scores } = nested(equal, d, rule);
		for (const scale of scales) expect(scale.every((x) => x === 0)).toBe(true);
		expect(scores.every(Number.isFinite)).toBe(true);
		equal.subarray(40 * d, 41 * d).set([5, -1, 3, 0, 2, 2, -4, 1]);
		for (const scale of nested(equal, d, rule).scales) expect(scale[40]).toBeCloseTo(1, 9);
	});

	it('has a gate of 0.0025 without surprise and of 0.5 at 0.6', () => {
		expect(gateOf(0, rule)).toBeCloseTo(0.0025, 4);
		expect(gateOf(0.6, rule)).toBeCloseTo(0.5, 12);
		expect(gap(Float64Array.from({ length: 20 }, (_, i) => i))).toBe(18);
		expect(Array.from(minMax(Float64Array.of(3, 3)))).toEqual([0, 0]);
	});

	it('keeps the budget over the heads of a layer, a fifth in each, and the first four', () => {
		const arm = new Rig(randomArm(N), [{ method: 'nestedkv', params: { budget: { tokens: 30 } } }]).prefill().arm;
		for (const layer of arm.layers) {
			expect(layer.length(0) + layer.length(1)).toBe(60);
			for (const head of [0, 1]) {
				expect(layer.length(head)).toBeGreaterThanOrEqual(6);
				expect(Array.from(layer.positions(head)).slice(0, 4)).toEqual([0, 1, 2, 3]);
			}
		}
		expect(new Rig(randomArm(N), [{ method: 'nestedkv', params: { budget: { fraction: 1 } } }]).prefill().arm.records).toEqual([]);
	});
});
