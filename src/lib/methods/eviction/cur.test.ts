import { describe, expect, it } from 'vitest';
import { ArmCache } from '$lib/cache/arm-cache.ts';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { random } from '$lib/numerics/random.ts';
import type { PromptView } from '../define.ts';
import { readMethodSpec, startMethod } from '../start.ts';
import { Rig } from '../testing/views.ts';
import { energies, gaussian, shares } from './cur.ts';
import { smallKeys } from './knorm.ts';

const N = 45;
const d = TINY.headDim;
const full = randomArm(N);
const scoresOf = (arm: ArmCache, params: object) => {
	const instance = startMethod(readMethodSpec({ method: 'cur', params }), { model: TINY, random: random(1), promptTokens: N });
	return arm.layers.map((layer) => instance.score!(layer, {} as PromptView).byHead);
};
const squares = (block: Float32Array) => Array.from({ length: N }, (_, j) => block.subarray(j * d, (j + 1) * d).reduce((sum, x) => sum + x * x, 0));

describe('cur', () => {
	it('is the product of local shares over its sum, with sinks at 1', () => {
		scoresOf(full, { variant: 'released' }).forEach((byHead, layer) => byHead.forEach((row, head) => {
			const [k, v] = [squares(full.layers[layer].keys(head)), squares(full.layers[layer].values(head))];
			const share = (x: number[], j: number) => x[j] / x.slice(j - (j % 16), j - (j % 16) + 16).reduce((a, b) => a + b);
			const raw = k.map((_, j) => share(k, j) * share(v, j));
			const total = raw.reduce((a, b) => a + b);
			row.forEach((score, j) => expect(score).toBeCloseTo(j < 4 ? 1 : raw[j] / total, 9));
		}));
	});

	it('has shares that sum to 1 in each full run, and to its length in the last, unless as released', () => {
		const x = Float64Array.from({ length: 37 }, (_, i) => i + 1);
		const sums = (released: boolean) => [0, 16, 32].map((from) => shares(x, 16, released).subarray(from, from + 16).reduce((a, b) => a + b));
		sums(true).forEach((sum) => expect(sum).toBeCloseTo(1, 12));
		sums(false).forEach((sum, i) => expect(sum).toBeCloseTo([1, 1, 5 / 16][i], 12));
		expect(Array.from(shares(new Float64Array(5), 4, true))).toEqual([0, 0, 0, 0, 0]);
	});

	it('released, a single token in the last run beats all but the sinks; ours does not let it', () => {
		const arm = randomArm(33);
		const best = (variant: string) => {
			const instance = startMethod(readMethodSpec({ method: 'cur', params: { variant } }), { model: TINY, random: random(1), promptTokens: 33 });
			const row = instance.score!(arm.layers[0], {} as PromptView).byHead[0];
			return row.indexOf(Math.max(...row.slice(4)));
		};
		expect(best('released')).toBe(32);
		expect(best('ours')).not.toBe(32);
	});

	it('keeps the sinks when the budget holds them', () => {
		const arm = new Rig(full, [{ method: 'cur', params: { budget: { tokens: 4 } } }]).prefill().arm;
		for (const layer of arm.layers) for (const head of [0, 1]) expect(Array.from(layer.positions(head))).toEqual([0, 1, 2, 3]);
	});

	it('does not change when all keys are scaled', () => {
		const scaled = ArmCache.fromPrompt({
			shape: TINY, n: N, rope: full.rope,
			keys: (layer) => Float32Array.from([0, 1].flatMap((head) => Array.from(full.layers[layer].keys(head), (x) => 3 * x))),
			values: (layer) => Float32Array.from([0, 1].flatMap((head) => Array.from(full.layers[layer].values(head))))
		});
		for (const params of [{}, { local: false }]) {
			const [a, b] = [scoresOf(full, params), scoresOf(scaled, params)].map((all) => all.flatMap((byHead) => byHead.flatMap((row) => Array.from(row))));
			a.forEach((score, i) => expect(b[i]).toBeCloseTo(score, 6));
		}
	});

	it('over the whole text and for keys alone ranks as Knorm does, backwards', () => {
		scoresOf(full, { local: false, leverage_type: 'key', num_sinks: 0 }).forEach((byHead, layer) => byHead.forEach((row, head) => {
			const order = (x: Float64Array) => Array.from(x, (_, j) => j).sort((a, b) => x[b] - x[a]);
			expect(order(row)).toEqual(order(smallKeys(full.layers[layer]).byHead[head]).reverse());
		}));
	});

	it('takes the value alone, or the mean of both', () => {
		const [only, mean] = ['value', 'kv_avg'].map((leverage_type) => scoresOf(full, { local: false, leverage_type, num_sinks: 0 })[0][0]);
		const [k, v] = [squares(full.layers[0].keys(0)), squares(full.layers[0].values(0))];
		const total = (x: number[]) => x.reduce((a, b) => a + b);
		only.forEach((score, j) => expect(score).toBeCloseTo(v[j] / total(v), 9));
		mean.forEach((score, j) => expect(score).toBeCloseTo((k[j] + v[j]) / (total(k) + total(v)), 9));
	});

	it('keeps squared lengths on average when it projects', () => {
		const row = Float32Array.from({ length: d }, (_, c) => c - 2.5);
		const draws = Array.from({ length: 400 }, (_, seed) => energies(row, d, gaussian(random(seed), d, 20))[0]);
		const mean = draws.reduce((a, b) => a + b) / draws.length;
		const exact = energies(row, d)[0];
		// One draw has a relative variance of 2 / 20.
		expect(Math.abs(mean / exact - 1)).toBeLessThan(4 * Math.sqrt(0.1 / draws.length));
		expect(scoresOf(full, { random_projection: true })).not.toEqual(scoresOf(full, {}));
	});
});
