import { describe, expect, it } from 'vitest';
import { ArmCache } from '$lib/cache/arm-cache.ts';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { fixtureNormal } from '$lib/numerics/fixture.ts';
import { roundToHalf } from '$lib/numerics/half.ts';
import { attentionRow } from '../observe.ts';
import { expectBillIsPacked } from '../testing/untouched.ts';
import { Rig } from '../testing/views.ts';
import { unrotated } from '../unrotated.ts';
import { extraTokens, rebuildErrors, valueMap } from './vector.ts';

const d = TINY.headDim;
const N = 60;
const M = 20;
const full = randomArm(N);
const rigOf = (params: object = {}, arm = full, after: object[] = []) =>
	new Rig(arm, [{ method: 'vector', params: { scorer: { method: 'knorm' }, budget: { tokens: M }, ...params } }, ...after]);
const row = (block: ArrayLike<number>, i: number, width = d) => Array.from({ length: width }, (_, c) => block[i * width + c]);
const exactValues = (rig: Rig, l: number, head: number) => Array.from(rig.arm.layers[l].exact(head, 'V'));
const before = (arm: ArmCache, l: number, head: number) => unrotated(arm.layers[l], head, arm.rope);
const sum = (numbers: ArrayLike<number>) => Array.from(numbers).reduce((a, b) => a + b, 0);

/** A cache whose values are exactly `map` times their keys before rotation. */
function linearArm(map: number[]): ArmCache {
	const keys = (layer: number) => fixtureNormal(`test/k${layer}`, TINY.kvHeads * N * d);
	const positions = Int32Array.from({ length: TINY.kvHeads * N }, (_, i) => -(i % N));
	const values = (layer: number) => {
		const turned = full.rope.rotate(keys(layer), positions, d);
		return Float32Array.from({ length: turned.length }, (_, at) => sum(row(turned, Math.floor(at / d)).map((x, i) => x * map[i * d + (at % d)])));
	};
	return ArmCache.fromPrompt({ shape: TINY, n: N, rope: full.rope, keys, values });
}

describe('vector', () => {
	it('has the published shares', () => {
		expect([250, 500, 750, 900].map((gone) => extraTokens(1000, 1000 - gone, 0.5))).toEqual([125, 250, 125, 50]);
		for (const share of [0, 0.3, 0.5, 1]) for (let budget = 1; budget <= 40; budget++) {
			const extra = extraTokens(40, budget, share);
			expect(extra).toBeLessThanOrEqual(40 - budget);
			expect(budget - extra).toBeGreaterThanOrEqual(0);
		}
	});

	it('is the scorer alone with share 0, and does nothing where all fits', () => {
		const [plain, none] = [new Rig(full, [{ method: 'knorm', params: { budget: { tokens: M } } }]).prefill(), rigOf({ share: 0 }).prefill()];
		none.arm.layers.forEach((layer, l) => [0, 1].forEach((head) => {
			expect(layer.positions(head)).toEqual(plain.arm.layers[l].positions(head));
			expect(layer.values(head)).toEqual(plain.arm.layers[l].values(head));
		}));
		expect(none.arm.bill()).toEqual(plain.arm.bill());
		expect(rigOf({ budget: { tokens: N } }).prefill().arm.records).toEqual([]);
	});

	it.each([0.1, 0.25, 0.5, 0.8, 1])('keeps as many vectors as plain eviction, share %f', (share) => {
		const rig = rigOf({ share }).prefill();
		rig.arm.layers.forEach((layer, l) => [0, 1].forEach((head) => {
			expect(layer.length(head) + sum(exactValues(rig, l, head))).toBe(2 * M);
			expect(sum(layer.exact(head, 'K'))).toBe(M + extraTokens(N, M, share));
		}));
		expectBillIsPacked(rig.arm);
		const { items } = rig.arm.bill();
		expect(items.payload).toBe(TINY.layers * TINY.kvHeads * 2 * M * d * 2);
		expect(items.codebooks).toBe(TINY.layers * TINY.kvHeads * d * d * 2);
	});

	it.each([false, true])('chooses and rebuilds as a double loop does, constant: %s', (constant) => {
		const rig = rigOf({ constant }).prefill();
		rig.arm.layers.forEach((layer, l) => [0, 1].forEach((head) => {
			const [keys, values] = [before(full, l, head), full.layers[l].values(head)];
			const map = Array.from(valueMap(keys, values, d, constant), roundToHalf);
			const made = (j: number) => Array.from({ length: d }, (_, c) => sum([...row(keys, j), ...(constant ? [1] : [])].map((x, i) => x * map[i * d + c])));
			const norm = (j: number) => Math.hypot(...row(keys, j));
			const pool = Array.from({ length: N }, (_, j) => j).sort((a, b) => norm(a) - norm(b)).slice(0, M + 10).sort((a, b) => a - b);
			expect(Array.from(layer.positions(head))).toEqual(pool);
			const error = (j: number) => sum(made(j).map((x, c) => (x - values[j * d + c]) ** 2));
			const rebuilt = [...pool].sort((a, b) => error(a) - error(b)).slice(0, 20);
			const exact = exactValues(rig, l, head);
			expect(pool.filter((_, slot) => !exact[slot])).toEqual(rebuilt.sort((a, b) => a - b));
			pool.forEach((j, slot) => row(layer.values(head), slot).forEach((x, c) => expect(x).toBeCloseTo(exact[slot] ? values[j * d + c] : made(j)[c], 5)));
			// What is rebuilt is rebuilt better than what is not would be.
			const mean = (list: number[]) => sum(list.map(error)) / list.length;
			expect(mean(rebuilt)).toBeLessThanOrEqual(mean(pool.filter((j) => !rebuilt.includes(j))));
		}));
	});

	it('loses nothing where values are a linear map of the keys', () => {
		const map = Array.from({ length: d * d }, (_, i) => ((i * 7) % 17) / 8 - 1);
		const arm = linearArm(map);
		const rig = rigOf({}, arm).prefill();
		rig.arm.layers.forEach((layer, l) => [0, 1].forEach((head) => layer.positions(head).forEach((position, slot) =>
			row(layer.values(head), slot).forEach((x, c) => expect(x).toBeCloseTo(arm.layers[l].values(head)[position * d + c], 4)))));
	});

	it('reads out by one weighted sum of keys as well as by every value', () => {
		const rig = rigOf().prefill();
		const layer = rig.arm.layers[1];
		const [keys, turned, values, exact] = [layer.keys(0), unrotated(layer, 0, full.rope), layer.values(0), exactValues(rig, 1, 0)];
		const weights = attentionRow(fixtureNormal('query', d), keys, layer.positions(0), Infinity);
		const map = Array.from(valueMap(before(full, 1, 0), full.layers[1].values(0), d, false), roundToHalf);
		for (let c = 0; c < d; c++) {
			const each = sum(weights.map((weight, slot) => (exact[slot] ? 0 : weight * values[slot * d + c])));
			const keysRead = Array.from({ length: d }, (_, i) => sum(weights.map((weight, slot) => (exact[slot] ? 0 : weight * turned[slot * d + i]))));
			expect(sum(keysRead.map((x, i) => x * map[i * d + c]))).toBeCloseTo(each, 5);
		}
	});

	it('rebuilds from the keys as they are stored, also when they are encoded or turned later', () => {
		const rig = rigOf({}, full, [{ method: 'rtn', params: { bitsK: 3, bitsV: 16, group: 8 } }]).prefill();
		rig.arm.layers[0].rerotate(0);
		const layer = rig.arm.layers[0];
		expect(sum(layer.exact(0, 'K'))).toBe(0);
		const map = Array.from(valueMap(before(full, 0, 0), full.layers[0].values(0), d, false), roundToHalf);
		const [turned, exact] = [unrotated(layer, 0, full.rope), exactValues(rig, 0, 0)];
		expect(exact.filter((flag) => !flag)).toHaveLength(20);
		exact.forEach((flag, slot) => flag || row(layer.values(0), slot).forEach((x, c) =>
			expect(x).toBeCloseTo(sum(row(turned, slot).map((k, i) => k * map[i * d + c])), 5)));
	});

	it('stays within a budget in bytes, and is not far below it', () => {
		for (const bytes of [2500, 4000, 6000]) for (const share of [0, 0.5, 1]) {
			const { total } = rigOf({ budget: { bytes }, share }).prefill().arm.bill();
			expect(total).toBeLessThanOrEqual(bytes);
			expect(total).toBeGreaterThan(0.85 * bytes);
		}
	});

	it('cannot be shared: there is nothing that another head could read', () => {
		const [{ arm }, other] = [rigOf().prefill(), full.fork().layers[0]];
		const layer = arm.layers[0];
		const slot = exactValues(rigOf().prefill(), 0, 0).indexOf(0);
		expect(() => other.share(0, 'V', [layer.positions(0)[slot]], { layer, head: 0 })).toThrow('follows from its owner');
	});
});

describe('the map', () => {
	const rows = 200;
	const [keys, noise] = [fixtureNormal('keys', rows * d), fixtureNormal('noise', rows * d)];
	const values = Float32Array.from(noise, (x, at) => x + 2 * keys[at - (at % d) + ((at + 1) % d)]);
	const part = (block: Float32Array, from: number, to: number) => block.subarray(from * d, to * d);
	/** Share of the variance of values that the map explains. */
	const explained = (map: Float64Array, k: Float32Array, v: Float32Array) => {
		const mean = Array.from({ length: d }, (_, c) => sum(v.filter((_x, at) => at % d === c)) / (v.length / d));
		return 1 - sum(rebuildErrors(map, k, v, d)) / sum(v.map((x, at) => (x - mean[at % d]) ** 2));
	};

	it('leaves residuals that have nothing to do with the keys', () => {
		for (const constant of [false, true]) {
			const map = valueMap(keys, values, d, constant);
			for (let i = 0; i < d; i++) for (let c = 0; c < d; c++) {
				const products = Array.from({ length: rows }, (_, r) => {
					const made = sum(row(keys, r).map((x, j) => x * map[j * d + c])) + (constant ? map[d * d + c] : 0);
					return keys[r * d + i] * (values[r * d + c] - made);
				});
				expect(Math.abs(sum(products)) / rows).toBeLessThan(1e-4);
			}
		}
	});

	it('explains no more of new text than of its own, and nothing of shuffled pairs', () => {
		const map = valueMap(part(keys, 0, 100), part(values, 0, 100), d, true);
		const [own, fresh] = [explained(map, part(keys, 0, 100), part(values, 0, 100)), explained(map, part(keys, 100, 200), part(values, 100, 200))];
		expect(own).toBeGreaterThan(0.7);
		expect(fresh).toBeLessThanOrEqual(own);
		expect(fresh).toBeGreaterThan(0.6);
		const shifted = Float32Array.from([...values.subarray(37 * d), ...values.subarray(0, 37 * d)]);
		expect(explained(valueMap(part(keys, 0, 100), part(shifted, 0, 100), d, true), part(keys, 100, 200), part(shifted, 100, 200))).toBeLessThan(0.05);
	});

	it('finds a constant, and makes nothing of nothing', () => {
		const raised = values.map((x) => x + 5);
		const map = valueMap(keys, raised, d, true);
		const plain = valueMap(keys, values, d, true);
		for (let c = 0; c < d; c++) expect(map[d * d + c] - plain[d * d + c]).toBeCloseTo(5, 4);
		expect(valueMap(new Float32Array(2 * d), values.subarray(0, 2 * d), d, false).every((x) => x === 0)).toBe(true);
	});

	it('judges a key by its content, wherever it stands', () => {
		const { rope } = full;
		const key = keys.subarray(0, d);
		const turned = [3, 41].map((position) => rope.rotate(rope.rotate(key, [position], d), [-position], d));
		turned.forEach((back) => back.forEach((x, c) => expect(Math.abs(x - key[c])).toBeLessThan(1e-5)));
		const map = valueMap(keys, values, d, false);
		const [a, b] = turned.map((back) => rebuildErrors(map, back, values.subarray(0, d), d)[0]);
		expect(a).toBeCloseTo(b, 4);
	});
});
