import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { fixtureNormal } from '$lib/numerics/fixture.ts';
import { rowNorms } from '../select.ts';
import { rowsOf, slotsAt } from '../slots.ts';
import { Rig } from '../testing/views.ts';
import { folds, mergeInstructions } from './merging-press.ts';

const d = TINY.headDim;
const N = 50;
const spec = (params: object = {}) => ({ method: 'merging-press', params: { scorer: { method: 'knorm' }, budget: { tokens: 20 }, ...params } });

describe('merging-press', () => {
	const full = randomArm(N);
	const plain = new Rig(full, [{ method: 'knorm', params: { budget: { tokens: 20 } } }]).prefill().arm;

	it('keeps the scorer’s keys bit for bit', () => {
		const arm = new Rig(full, [spec()]).prefill().arm;
		arm.layers.forEach((layer, index) => {
			for (let head = 0; head < 2; head++) {
				expect(layer.positions(head)).toEqual(plain.layers[index].positions(head));
				expect(layer.keys(head)).toEqual(plain.layers[index].keys(head));
				expect(layer.values(head)).not.toEqual(plain.layers[index].values(head));
				expect(layer.bias(head).every((bias) => bias === 0)).toBe(true);
			}
		});
	});

	it('with threshold 1 and no equal keys changes nothing but what the scorer drops', () => {
		const arm = new Rig(full, [spec({ similarity_threshold: 1 })]).prefill().arm;
		arm.layers.forEach((layer, index) => expect(layer.values(0)).toEqual(plain.layers[index].values(0)));
		expect(arm.records.every(({ verb }) => verb === 'keep')).toBe(true);
	});

	it('a merged value is no longer than the longest that went into it', () => {
		const arm = new Rig(full, [spec()]).prefill().arm;
		for (const record of arm.records.filter(({ verb }) => verb === 'merge')) {
			const original = full.layers[record.layer].values(record.head);
			const parts = rowNorms(rowsOf(original, [record.into!, ...record.positions], d), d);
			const layer = arm.layers[record.layer];
			const slot = slotsAt(layer.positions(record.head), [record.into!])[0];
			const merged = rowNorms(layer.values(record.head).slice(slot * d, (slot + 1) * d), d)[0];
			expect(merged).toBeLessThanOrEqual(Math.max(...parts) + 1e-6);
		}
	});

	it('two equal tokens, one evicted: the value stays', () => {
		const key = fixtureNormal('k', d);
		const value = fixtureNormal('v', d);
		const twice = (x: Float32Array) => Float32Array.from([...x, ...x]);
		const found = folds(twice(key), twice(value), d, [1], 0, 1);
		expect(found[0]).toMatchObject({ from: 0, into: 1 });
		expect(found[0].similarity).toBeCloseTo(1, 6);
		const [{ value: merged }] = mergeInstructions(twice(value), d, found);
		for (let c = 0; c < d; c++) expect(merged[c]).toBeCloseTo(value[c], 6);
	});

	it('merges only the most alike share when told so', () => {
		const keys = fixtureNormal('keys', 30 * d);
		const values = fixtureNormal('values', 30 * d);
		const kept = Array.from({ length: 10 }, (_, i) => i * 3);
		const all = folds(keys, values, d, kept, -1, 1);
		const quarter = folds(keys, values, d, kept, -1, 0.25);
		expect(all).toHaveLength(20);
		expect(quarter).toHaveLength(5);
		const worst = Math.min(...quarter.map(({ similarity }) => similarity));
		expect(all.filter(({ similarity }) => similarity > worst)).toHaveLength(4);
	});

	it('zero keys do not divide by zero', () => {
		const found = folds(new Float32Array(3 * d), new Float32Array(3 * d), d, [0], 0, 1);
		expect(found.every(({ weight }) => weight === 0)).toBe(true);
		expect(mergeInstructions(new Float32Array(3 * d), d, found)).toEqual([]);
	});
});
