import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { roundToHalf } from '$lib/numerics/half.ts';
import { random } from '$lib/numerics/random.ts';
import { topSlots } from '../select.ts';
import { Rig } from '../testing/views.ts';
import { energies, gaussian } from './cur.ts';
import { lotteryOf, projectedEnergy, ranges } from './vase.ts';

const N = 60;
const d = TINY.headDim;
const full = randomArm(N);
const rigOf = (params: object, name = 'rig') => new Rig(full, [{ method: 'vase', params: { budget: { tokens: 32 }, buffer: 4, ...params } }], name);
const sets = (rig: Rig) => rig.arm.layers.map((layer) => [0, 1].map((head) => Array.from(layer.positions(head))));

/** Pooled attention of the last 4 prompt queries over all but the newest 4 tokens, no causal mask, mean of the group. */
function alpha(rig: Rig, layer: number, head: number): number[] {
	const n = N - 4;
	const keys = full.layers[layer].keys(head);
	const mean = new Array<number>(n).fill(0);
	for (const h of [2 * head, 2 * head + 1]) for (let i = N - 4; i < N; i++) {
		const query = Array.from(rig.queries(layer, h).subarray(i * d, (i + 1) * d), roundToHalf);
		const weights = mean.map((_, j) => Math.exp(query.reduce((dot, q, c) => dot + q * keys[j * d + c], 0) / Math.sqrt(d)));
		const total = weights.reduce((a, b) => a + b);
		weights.forEach((weight, j) => (mean[j] += weight / total / 8));
	}
	return mean.map((_, j) => [-2, -1, 0, 1, 2].reduce((sum, by) => sum + (mean[j + by] ?? 0) / 5, 0));
}

describe('vase', () => {
	it('without reserve and lot keeps the best attention and the buffer, as SnapKV would', () => {
		const rig = rigOf({ choose: 'best', reserve: 0 }).prefill();
		sets(rig).forEach((heads, layer) => heads.forEach((found, head) => {
			const paid = alpha(rig, layer, head);
			const best = paid.map((_, j) => j).sort((a, b) => paid[b] - paid[a]).slice(0, 24);
			expect(found).toEqual([...best, N - 4, N - 3, N - 2, N - 1].sort((a, b) => a - b));
		}));
	});

	it('holds the budget at every step: it grows to it, then falls by the buffer, which stays', () => {
		for (const score of ['attention', 'energy']) {
			const rig = rigOf({ score }).prefill();
			let cuts = 0;
			for (let step = 0; step < 20; step++) {
				const before = rig.arm.layers[0].length(0);
				rig.decode();
				sets(rig).flat().forEach((found) => {
					expect(found.length).toBe(before === 32 ? 28 : before + 1);
					expect(new Set(found).size).toBe(found.length);
					expect(found.slice(-4)).toEqual([3, 2, 1, 0].map((back) => N + step - back));
				});
				cuts += before === 32 ? 1 : 0;
			}
			expect(cuts).toBeGreaterThanOrEqual(3);
		}
	});

	it('always holds the reserved values, sinks first, and draws the rest by the seed', () => {
		const runs = Array.from({ length: 12 }, (_, seed) => {
			return sets(rigOf({ reserve: 0.5 }, `seed ${seed}`).prefill())[0][0];
		});
		const size = Array.from(ranges(full.layers[0].values(0), d)).slice(0, N - 4).map((x, j) => (j < 4 ? Infinity : x));
		const reserved = size.map((_, j) => j).sort((a, b) => size[b] - size[a] || a - b).slice(0, 14);
		for (const found of runs) expect(found).toEqual(expect.arrayContaining([...reserved, N - 4, N - 3, N - 2, N - 1]));
		expect(new Set(runs.map(String)).size).toBeGreaterThan(6);
		expect(sets(rigOf({}).prefill())).toEqual(sets(rigOf({}).prefill()));
	});

	it('draws one slot with chances proportional to attention (chi-square), and more of what has more', () => {
		const p = Float64Array.of(0.4, 0.3, 0.2, 0.08, 0.02);
		const draws = 4000;
		const counts = (k: number) => {
			const seen = new Array<number>(5).fill(0);
			const stream = random(11);
			for (let i = 0; i < draws; i++) for (const slot of topSlots(lotteryOf(p, stream), k)) seen[slot]++;
			return seen;
		};
		const chi = counts(1).reduce((sum, count, i) => sum + (count - draws * p[i]) ** 2 / (draws * p[i]), 0);
		// 99.9 % point with 4 degrees of freedom.
		expect(chi).toBeLessThan(18.47);
		const two = counts(2);
		two.slice(1).forEach((count, i) => expect(count).toBeLessThan(two[i]));
		expect(Math.min(...two)).toBeGreaterThan(0);
	});

	it('has ranges that scale with the value and ignore a constant', () => {
		const v = full.layers[0].values(0);
		ranges(v.map((x) => -3 * x), d).forEach((x, i) => expect(x).toBeCloseTo(3 * ranges(v, d)[i], 4));
		ranges(v.map((x) => x + 7), d).forEach((x, i) => expect(x).toBeCloseTo(ranges(v, d)[i], 4));
	});

	it('with many directions, projected energy becomes the product of squared lengths', () => {
		const [k, v] = [full.layers[0].keys(0), full.layers[0].values(0)];
		const [a, b] = [energies(k, d), energies(v, d)];
		const total = a.reduce((sum, x, i) => sum + x * b[i], 0);
		const error = (columns: number) => {
			const found = projectedEnergy(k, v, d, gaussian(random(3), d, columns), new Uint8Array(N));
			expect(found.reduce((x, y) => x + y)).toBeCloseTo(1, 9);
			return found.reduce((sum, x, i) => sum + Math.abs(x - (a[i] * b[i]) / total), 0);
		};
		expect(error(4000)).toBeLessThan(0.06);
		expect(error(4000)).toBeLessThan(error(20) / 5);
	});

	it('bills the queries it holds, and leaves a cache alone that fits', () => {
		const rig = rigOf({}).prefill();
		expect(rig.arm.bill().items.state).toBe(TINY.layers * TINY.heads * 4 * d * 2);
		expect(rigOf({ score: 'energy' }).prefill().arm.bill().items.state).toBe(0);
		const wide = rigOf({ budget: { tokens: N + 2 } }).prefill();
		wide.decode();
		expect(wide.arm.layers[0].length(0)).toBe(N + 1);
	});
});
