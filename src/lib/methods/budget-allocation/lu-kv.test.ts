import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { fixtureNormal } from '$lib/numerics/fixture.ts';
import { expectBillIsPacked } from '../testing/untouched.ts';
import { Rig } from '../testing/views.ts';
import { drain, hullSlopes, lossCurve } from './loss-curve.ts';

const N = 60;
const positive = (name: string, count: number) => Float64Array.from(fixtureNormal(name, count), Math.abs);
const all = (count: number) => new Uint8Array(count).fill(1);
const curveOf = (slopes: Float64Array) => slopes.reduce((points, slope) => [...points, points[points.length - 1] + slope], [0]);
const curve = (name: string, count = 6) => lossCurve(fixtureNormal(`${name}/p`, count), positive(`${name}/u`, count), all(count));

describe('loss curves', () => {
	it('add up what goes, the lowest scores first', () => {
		expect(Array.from(lossCurve([3, 1, 2, 9], [10, 20, 30, 40], [1, 1, 1, 0]))).toEqual([0, 20, 50, 60]);
	});

	it('have a hull below them that meets both ends, is convex, and is its own hull', () => {
		for (let i = 0; i < 30; i++) {
			const raw = curve(`c${i}`, 12);
			const slopes = hullSlopes(raw);
			const hull = curveOf(slopes);
			hull.forEach((value, m) => expect(value).toBeLessThanOrEqual(raw[m] + 1e-12));
			expect(hull.at(-1)).toBeCloseTo(raw.at(-1)!, 12);
			slopes.slice(1).forEach((slope, m) => expect(slope).toBeGreaterThanOrEqual(slopes[m] - 1e-12));
			hullSlopes(hull).forEach((slope, m) => expect(slope).toBeCloseTo(slopes[m], 12));
		}
	});

	it('of a perfect score are convex already', () => {
		const useful = positive('u', 20);
		const raw = lossCurve(useful, useful, all(20));
		curveOf(hullSlopes(raw)).forEach((value, m) => expect(value).toBeCloseTo(raw[m], 12));
	});
});

describe('drain', () => {
	it('loses the least that any split of two heads of six tokens loses, at every budget', () => {
		for (let i = 0; i < 20; i++) {
			const slopes = [hullSlopes(curve(`a${i}`)), hullSlopes(curve(`b${i}`))];
			const hulls = slopes.map(curveOf);
			for (let count = 0; count <= 12; count++) {
				const [a, b] = drain(slopes, count);
				expect(a + b).toBe(count);
				const splits = Array.from({ length: 7 }, (_, m) => m).filter((m) => count - m >= 0 && count - m <= 6).map((m) => hulls[0][m] + hulls[1][count - m]);
				expect(hulls[0][a] + hulls[1][b]).toBeCloseTo(Math.min(...splits), 10);
			}
		}
	});

	it('takes from a head never more when its use grows, and ever more as more must go', () => {
		const heads = ['a', 'b', 'c'].map((name) => curve(name, 10));
		let before = [0, 0, 0];
		for (let count = 0; count <= 30; count++) {
			const gone = drain(heads.map(hullSlopes), count);
			gone.forEach((number, head) => expect(number).toBeGreaterThanOrEqual(before[head]));
			before = gone;
			const louder = drain([hullSlopes(heads[0].map((x) => 10 * x)), ...heads.slice(1).map(hullSlopes)], count);
			expect(louder[0]).toBeLessThanOrEqual(gone[0]);
		}
	});

	it('leaves equal heads equal up to one stretch of equal slope', () => {
		const slopes = hullSlopes(curve('same', 10));
		for (let count = 0; count <= 20; count++) {
			const [a, b] = drain([slopes, slopes], count);
			expect(a).toBeGreaterThanOrEqual(b);
			// What the first head gave beyond the second has one slope.
			for (let m = b; m + 1 < a; m++) expect(slopes[m + 1]).toBe(slopes[m]);
		}
	});
});

describe('lu-kv', () => {
	const rigOf = (params: object) => new Rig(randomArm(N), [{ method: 'lu-kv', params: { scorer: { method: 'knorm' }, sink: 2, window: 5, ...params } }]).prefill();
	const lengths = (rig: Rig) => rig.arm.layers.map((layer) => [0, 1].map((head) => layer.length(head)));

	it('hands out one budget over all layers, or over each', () => {
		const shared = lengths(rigOf({ budget: { tokens: 20 } }));
		expect(shared.flat().reduce((a, b) => a + b)).toBe(80);
		expect(new Set(shared.flat()).size).toBeGreaterThan(1);
		for (const heads of lengths(rigOf({ budget: { tokens: 20 }, scope: 'each layer' }))) expect(heads[0] + heads[1]).toBe(40);
	});

	it('keeps sinks and window in every head, and of the rest the best by the score', () => {
		const rig = rigOf({ budget: { tokens: 20 } });
		rig.arm.layers.forEach((layer, l) => [0, 1].forEach((head) => {
			const keys = rig.full.layers[l].keys(head);
			const middle = Array.from({ length: N - 7 }, (_, i) => i + 2).sort((a, b) => Math.hypot(...keys.subarray(a * 8, a * 8 + 8)) - Math.hypot(...keys.subarray(b * 8, b * 8 + 8)));
			const wanted = [0, 1, 55, 56, 57, 58, 59, ...middle.slice(0, layer.length(head) - 7)].sort((a, b) => a - b);
			expect(Array.from(layer.positions(head))).toEqual(wanted);
		}));
		expectBillIsPacked(rig.arm);
		const ragged = lengths(rig).filter(([a, b]) => a !== b).length;
		expect(ragged).toBeGreaterThan(0);
		expect(rig.arm.bill().items.indices).toBe(ragged * 4 * (TINY.kvHeads + 1));
	});

	it('gives equal parts of a budget that does not hold both ends', () => {
		expect(lengths(rigOf({ budget: { tokens: 6 } }))).toEqual([[6, 6], [6, 6]]);
	});

	it('in bytes stays within them', () => {
		for (const bytes of [2500, 3001, 5555]) expect(rigOf({ budget: { bytes } }).arm.bill().total).toBeLessThanOrEqual(bytes);
	});
});
