import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { fixtureNormal } from '$lib/numerics/fixture.ts';
import { Rig } from '../testing/views.ts';
import { flowOf, mergesOf } from './meta-soft.ts';

const d = TINY.headDim;
const N = 50;
const BUDGET = 15;
const PROBES = 6;
const full = randomArm(N);
const rigOf = (params: object = {}, arm = full) => new Rig(arm, [{ method: 'meta-soft', params: { budget: { tokens: BUDGET }, probes: PROBES, ...params } }]);
const sum = (numbers: Iterable<number>) => [...numbers].reduce((a, b) => a + b, 0);
const row = (block: ArrayLike<number>, i: number) => Array.from({ length: d }, (_, c) => block[i * d + c]);
const dot = (a: number[], b: number[]) => sum(a.map((x, c) => x * b[c]));

/** Logits q k / sqrt d of the last prompt tokens over the whole prompt, by query head; -Infinity for later tokens. */
const logitsOf = (rig: Rig, layer: number, h: number) => Array.from({ length: PROBES }, (_, t) =>
	Array.from({ length: N }, (_, j) => (j > N - PROBES + t ? -Infinity : dot(row(rig.queries(layer, h), N - PROBES + t), row(full.layers[layer].keys(h >> 1), j)) / Math.sqrt(d))));
const softmax = (logits: number[]) => {
	const weights = logits.map(Math.exp);
	return weights.map((weight) => weight / sum(weights));
};
const mean = (rows: number[][]) => rows[0].map((_, j) => sum(rows.map((each) => each[j])) / rows.length);
const best = (scores: number[]) => scores.map((_, j) => j).sort((a, b) => scores[b] - scores[a]).slice(0, BUDGET).sort((a, b) => a - b);

/** Values of the kept slots with everything poured in; keys and values by head that are compared and moved. */
function poured(keyOf: (j: number) => number[], values: Float32Array, kept: number[], gamma: number, m = 4): number[][] {
	const dropped = Array.from({ length: N }, (_, j) => j).filter((j) => !kept.includes(j));
	const A = dropped.map((i) => {
		const logits = kept.map((j) => dot(keyOf(i), keyOf(j)) / Math.sqrt(d));
		const least = [...logits].sort((a, b) => b - a)[m - 1];
		return softmax(logits.map((x) => (x >= least ? x : -Infinity)));
	});
	const loads = kept.map((_, j) => sum(A.map((shares) => shares[j])));
	const W = A.map((shares) => shares.map((share, j) => share / (loads[j] + 1e-6))).map((shares) => shares.map((share) => share / sum(shares)));
	const average = dropped.length / kept.length;
	return kept.map((slot, j) => row(values, slot).map((x, c) =>
		x + (gamma / (1 + average)) * Math.min(1, average / (loads[j] + 1e-6)) * sum(dropped.map((i, r) => W[r][j] * values[i * d + c]))));
}

describe('meta-soft', () => {
	it.each([1, 0.3])('keeps and pours as a double loop does, heads apart, gamma %f', (gamma) => {
		const rig = rigOf({ gamma }).prefill();
		rig.arm.layers.forEach((layer, l) => [0, 1].forEach((head) => {
			const kept = best(mean([2 * head, 2 * head + 1].flatMap((h) => logitsOf(rig, l, h).map(softmax))));
			expect(Array.from(layer.positions(head))).toEqual(kept);
			const [keys, values] = [full.layers[l].keys(head), full.layers[l].values(head)];
			poured((j) => row(keys, j), values, kept, gamma).forEach((wanted, slot) => {
				row(layer.values(head), slot).forEach((x, c) => expect(x).toBeCloseTo(wanted[c], 5));
				expect(row(layer.keys(head), slot)).toEqual(row(keys, kept[slot]));
			});
		}));
	});

	it('read literally, all heads keep the same tokens and pour by one routing', () => {
		const rig = rigOf({ heads: 'together' }).prefill();
		rig.arm.layers.forEach((layer, l) => {
			const all = [0, 1, 2, 3].map((h) => logitsOf(rig, l, h));
			const kept = best(mean(all[0].map((_, t) => softmax(all[0][t].map((_, j) => sum(all.map((rows) => rows[t][j])))))));
			const keyOf = (j: number) => [0, 1].flatMap((head) => row(full.layers[l].keys(head), j));
			for (const head of [0, 1]) {
				expect(Array.from(layer.positions(head))).toEqual(kept);
				poured(keyOf, full.layers[l].values(head), kept, 1).forEach((wanted, slot) =>
					row(layer.values(head), slot).forEach((x, c) => expect(x).toBeCloseTo(wanted[c], 5)));
			}
		});
	});

	it('with one head both readings agree', () => {
		const shape = { ...TINY, heads: 1, kvHeads: 1 };
		const [apart, together] = ['apart', 'together'].map((heads) => rigOf({ heads }, randomArm(N, shape)).prefill().arm.layers);
		apart.forEach((layer, l) => {
			expect(layer.positions(0)).toEqual(together[l].positions(0));
			layer.values(0).forEach((x, at) => expect(x).toBeCloseTo(together[l].values(0)[at], 5));
		});
	});

	it('does nothing where all fits, and with gamma 0 evicts alone', () => {
		expect(rigOf({ budget: { tokens: N } }).prefill().arm.records).toEqual([]);
		const { arm } = rigOf({ gamma: 0 }).prefill();
		expect(arm.records.every(({ verb }) => verb === 'keep')).toBe(true);
		arm.layers.forEach((layer, l) => layer.positions(1).forEach((position, slot) =>
			expect(row(layer.values(1), slot)).toEqual(row(full.layers[l].values(1), position))));
	});

	it('attention of the probes adds up to 1', () => {
		for (const heads of ['apart', 'together']) {
			for (const { decision } of rigOf({ heads, gamma: 0 }).prefill().arm.records) expect(sum(decision!.scores)).toBeCloseTo(1, 5);
		}
	});

	describe('the flow', () => {
		const [dropped, kept] = [fixtureNormal('dropped', 40 * d), fixtureNormal('kept', 10 * d)];
		const rows = (numbers: Float64Array) => Array.from({ length: 40 }, (_, i) => numbers.subarray(i * 10, (i + 1) * 10));

		it('has rows that sum to 1, loads that sum to what was dropped, and gates that close on popular targets only', () => {
			const { alike, weights, loads, gates } = flowOf(dropped, kept, d, d, 4, 1);
			for (const each of [...rows(alike), ...rows(weights)]) {
				expect(sum(each)).toBeCloseTo(1, 12);
				expect(each.filter((share) => share > 0)).toHaveLength(4);
			}
			expect(sum(loads)).toBeCloseTo(40, 10);
			gates.forEach((gate, j) => {
				expect(gate).toBeGreaterThanOrEqual(0);
				expect(gate).toBe(loads[j] + 1e-6 <= 4 ? 1 : 4 / (loads[j] + 1e-6));
			});
			expect(gates.some((gate) => gate < 1)).toBe(true);
			expect(gates.some((gate) => gate === 1)).toBe(true);
			// Balancing takes from the hub.
			const most = (numbers: Float64Array) => Math.max(...Array.from({ length: 10 }, (_, j) => sum(rows(numbers).map((each) => each[j]))));
			expect(most(weights)).toBeLessThan(most(alike));
		});

		it('with one target is not changed by the balance', () => {
			const { alike, weights } = flowOf(dropped, kept, d, d, 1, 1);
			weights.forEach((weight, at) => expect(weight).toBeCloseTo(alike[at], 12));
		});

		it('pours out exactly what was dropped, before the gates', () => {
			const flow = flowOf(dropped, kept, d, d, 4, 1);
			const values = fixtureNormal('values', 50 * d);
			const slots = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);
			const merges = mergesOf({ ...flow, gates: flow.gates.map(() => 1) }, values, d, slots(10, 40), slots(0, 10), 1);
			for (let c = 0; c < d; c++) {
				const arrived = sum(merges.map(({ into, value }) => value[c] - values[into * d + c]));
				expect(arrived).toBeCloseTo(sum(slots(10, 40).map((i) => values[i * d + c])), 4);
			}
		});

		it('gives a token all to a kept one with the same key, when it is cold', () => {
			const unit = Float32Array.from(kept, (x, at) => x / Math.hypot(...row(kept, Math.floor(at / d))));
			const { weights } = flowOf(unit.slice(3 * d, 4 * d), unit, d, d, 4, 1e-4);
			expect(weights[3]).toBeCloseTo(1, 9);
		});
	});

	it('leaves a protected token and a value that is encoded already as they are', () => {
		const rig = new Rig(full, [{ method: 'rtn', params: { bitsK: 16, bitsV: 4, group: 8 } }, { method: 'meta-soft', params: { budget: { tokens: BUDGET } } }]);
		for (const layer of rig.arm.layers) layer.protect([5], 'by hand');
		rig.prefill();
		expect(rig.arm.records.filter(({ verb }) => verb === 'merge')).toEqual([]);
		for (const layer of rig.arm.layers) expect(Array.from(layer.positions(0))).toContain(5);
	});
});
