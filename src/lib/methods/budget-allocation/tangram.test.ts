import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { randomSupplies } from '../testing/supplies.ts';
import { expectBillIsPacked } from '../testing/untouched.ts';
import { Rig } from '../testing/views.ts';
import { clustersOf, countAmongBest, inProportion } from './clusters.ts';

const d = TINY.headDim;
const N = 60;
const rigOf = (params: object) => new Rig(randomArm(N), [{ method: 'tangram', params: { scorer: { method: 'knorm' }, sink: 2, window: 5, ...params } }]).prefill();
const lengths = (rig: Rig) => rig.arm.layers.flatMap((layer) => [0, 1].map((head) => layer.length(head)));
const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);
const scoreOf = (rig: Rig, head: number, position: number) =>
	-Math.hypot(...rig.full.layers[head >> 1].keys(head & 1).subarray(position * d, (position + 1) * d));

describe('clusters', () => {
	it('give every head one place', () => {
		const heads = Array.from({ length: 12 }, (_, i) => i);
		for (const size of [1, 2, 4, 12]) {
			const groups = clustersOf(heads, size, [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8]);
			expect(groups).toHaveLength(12 / size);
			expect(groups.flat().sort((a, b) => a - b)).toEqual(heads);
		}
		expect(clustersOf([0, 1, 2, 3], 2, [1, 9, 2, 9])).toEqual([[1, 3], [0, 2]]);
	});

	it('waste no more when heads of like greed are together: the sum of the largest of each group', () => {
		const greed = [0.9, 0.1, 0.8, 0.2, 0.7, 0.3, 0.6, 0.4];
		const cost = (groups: number[][]) => sum(groups.map((group) => group.length * Math.max(...group.map((i) => greed[i]))));
		const heads = greed.map((_, i) => i);
		expect(cost(clustersOf(heads, 2, greed))).toBeLessThan(cost(clustersOf(heads, 2)));
	});
});

describe('lengths', () => {
	it('count the best of all rows', () => {
		expect(countAmongBest([[5, 1, 4], [3, 9, 0]], 3)).toEqual([2, 1]);
		expect(countAmongBest([[1, 1], [1, 1]], 3)).toEqual([2, 1]);
	});
	it('are in proportion, within the room, and add up', () => {
		expect(inProportion([1, 2, 1], [100, 100, 100], 40)).toEqual([10, 20, 10]);
		expect(inProportion([1, 8, 1], [100, 10, 100], 40)).toEqual([15, 10, 15]);
		expect(inProportion([1, 1], [3, 4], 40)).toEqual([3, 4]);
		expect(sum(inProportion([0.3, 0.5, 0.9], [50, 50, 50], 101))).toBe(101);
		expect(inProportion([0, 0], [5, 5], 4)).toEqual([2, 2]);
	});
});

describe('tangram', () => {
	it.each(['crosslayer_cluster', 'perlayer_cluster', 'calibrated', 'uniform'])('%s costs the budget, and a group has one length', (level) => {
		for (const clusters of ['adjacent', 'calibrated']) for (const group of [1, 2]) {
			const rig = rigOf({ budget: { tokens: 20 }, level, clusters, group });
			expect(sum(lengths(rig))).toBe(80);
			if (group === 2 && clusters === 'adjacent') for (const layer of rig.arm.layers) expect(layer.length(0)).toBe(layer.length(1));
			for (const layer of rig.arm.layers) for (const head of [0, 1]) {
				expect(Array.from(layer.positions(head))).toEqual(expect.arrayContaining([0, 1, 55, 56, 57, 58, 59]));
			}
			expectBillIsPacked(rig.arm);
		}
	});

	it('with groups of one head cuts all heads of the model at one threshold', () => {
		const rig = rigOf({ budget: { tokens: 20 }, group: 1 });
		const middle = [0, 1, 2, 3].flatMap((head) => Array.from({ length: N - 7 }, (_, i) => ({ head, position: i + 2, score: scoreOf(rig, head, i + 2) })));
		const best = middle.sort((a, b) => b.score - a.score).slice(0, 4 * 13);
		[0, 1, 2, 3].forEach((head) => {
			const wanted = [0, 1, 55, 56, 57, 58, 59, ...best.filter((each) => each.head === head).map(({ position }) => position)].sort((a, b) => a - b);
			expect(Array.from(rig.arm.layers[head >> 1].positions(head & 1))).toEqual(wanted);
		});
	});

	it('with groups of two lets the better head of each speak for a token', () => {
		const rig = rigOf({ budget: { tokens: 20 } });
		const tokens = [0, 1].flatMap((layer) => Array.from({ length: N - 7 }, (_, i) => ({ layer, score: Math.max(scoreOf(rig, 2 * layer, i + 2), scoreOf(rig, 2 * layer + 1, i + 2)) })));
		const best = tokens.sort((a, b) => b.score - a.score).slice(0, 2 * 13);
		for (const layer of [0, 1]) expect(rig.arm.layers[layer].length(0)).toBe(7 + best.filter((each) => each.layer === layer).length);
	});

	it('gives calibrated lengths in proportion to mean + 2 deviations', () => {
		const { mean, deviation } = randomSupplies(TINY, 'rig').shipped('head-budgets');
		const wish = Array.from(mean, (m, i) => Math.min(1, m + 2 * deviation[i]));
		const found = lengths(rigOf({ budget: { tokens: 20 }, level: 'calibrated', group: 1 })).map((length) => length - 7);
		found.forEach((length, i) => expect(Math.abs(length - (52 * wish[i]) / sum(wish))).toBeLessThan(1));
	});

	it('a budget below both ends keeps the newest of them in every head', () => {
		const rig = rigOf({ budget: { tokens: 3 } });
		expect(lengths(rig)).toEqual([3, 3, 3, 3]);
		expect(Array.from(rig.arm.layers[0].positions(0))).toEqual([57, 58, 59]);
	});
});
