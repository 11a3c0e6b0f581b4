import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { fixtureNormal } from '$lib/numerics/fixture.ts';
import { expectBillIsPacked } from '../testing/untouched.ts';
import { Rig } from '../testing/views.ts';

const d = TINY.headDim;
const N = 60;
const rigOf = (params: object) => new Rig(randomArm(N), [{ method: 'decoding-press', params }]).prefill();
const knorm = { method: 'knorm' };
const positionsOf = (rig: Rig) => rig.arm.layers.map((layer) => [0, 1].map((head) => Array.from(layer.positions(head))));

/** Keeps the `count` best of a list by a score of each position, older first among equals. */
const best = (positions: number[], score: (position: number) => number, count: number) =>
	[...positions].sort((a, b) => score(b) - score(a) || a - b).slice(0, count).sort((a, b) => a - b);

describe('decoding-press', () => {
	it('is a sawtooth between T and T + N - 1 after its first choice, and follows a plain simulation', () => {
		const rig = rigOf({ scorer: knorm, budget: { tokens: 20 }, interval: 5 });
		const plain = new Rig(randomArm(N), []).prefill();
		const wanted = positionsOf(rig);
		for (let step = 1; step <= 23; step++) {
			rig.decode();
			plain.decode();
			wanted.forEach((heads, layer) => heads.forEach((positions, head) => {
				positions.push(N + step - 1);
				const keys = plain.arm.layers[layer].keys(head);
				if (step % 5 === 0) heads[head] = best(positions, (p) => -Math.hypot(...keys.subarray(p * d, (p + 1) * d)), 20);
			}));
			expect(positionsOf(rig)).toEqual(wanted);
			if (step >= 5) for (const layer of rig.arm.layers) for (const head of [0, 1]) expect(layer.length(head)).toBe(20 + (step % 5));
			expectBillIsPacked(rig.arm);
		}
	});

	it('with a share lets the cache grow with the text', () => {
		const rig = rigOf({ scorer: knorm, budget: { fraction: 0.3 }, interval: 4, target: 'share', prefill: true });
		for (const layer of rig.arm.layers) expect(layer.length(0)).toBe(18);
		for (let step = 1; step <= 24; step++) {
			rig.decode();
			if (step % 4 === 0) for (const layer of rig.arm.layers) expect(layer.length(1)).toBe(Math.trunc((N + step) * 0.3));
		}
	});

	it('keeps everything while the budget is not reached', () => {
		const rig = rigOf({ scorer: { method: 'snapkv', params: { window: 4 } }, budget: { tokens: N + 12 }, interval: 3 });
		for (let step = 0; step < 12; step++) rig.decode();
		for (const heads of positionsOf(rig)) for (const positions of heads) expect(positions).toHaveLength(N + 12);
	});

	it('asks a window of the newest queries, prompt and steps together', () => {
		const rig = rigOf({ scorer: { method: 'snapkv', params: { window: 6, kernel: 1 } }, budget: { tokens: 20 }, interval: 4, buffer: 6 });
		const plain = new Rig(randomArm(N), []).prefill();
		for (let step = 0; step < 4; step++) {
			rig.decode();
			plain.decode();
		}
		const n = N + 4;
		rig.arm.layers.forEach((layer, l) => [0, 1].forEach((head) => {
			const keys = plain.arm.layers[l].keys(head);
			const scores = new Float64Array(n);
			for (const queryHead of [2 * head, 2 * head + 1]) for (let t = n - 6; t < n; t++) {
				const query = t < N ? plain.queries(l, queryHead).slice(t * d, (t + 1) * d) : stepQuery(l, queryHead, t);
				const e = Array.from({ length: t + 1 }, (_, j) => Math.exp(query.reduce((sum, q, c) => sum + q * keys[j * d + c], 0) / Math.sqrt(d)));
				const total = e.reduce((a, b) => a + b);
				e.forEach((p, j) => (scores[j] += p / total));
			}
			const wanted = best(Array.from({ length: n }, (_, i) => i), (p) => (p >= n - 6 ? 100 : scores[p]), 20);
			expect(Array.from(layer.positions(head))).toEqual(wanted);
		}));
		// Queries of 6 tokens in halves, for 4 query heads of 2 layers.
		expect(rig.arm.bill().items.state).toBe(6 * d * 2 * 4 * TINY.layers);
	});

	it('lets attention sums run on: one query a head adds 1 to their sum', () => {
		const sums: number[] = [];
		const rig = rigOf({ scorer: { method: 'h2o', params: { heavy: 1 } }, budget: { tokens: 58 }, interval: 1 });
		for (let step = 0; step < 6; step++) {
			rig.decode();
			const record = rig.arm.records.filter(({ layer, head }) => layer === 0 && head === 0).at(-1)!;
			sums.push(record.decision!.scores.reduce((a, b) => a + b, 0));
			const lowest = record.decision!.positions[record.decision!.scores.indexOf(Math.min(...record.decision!.scores))];
			expect(Array.from(rig.arm.layers[0].positions(0))).not.toContain(lowest);
		}
		// All 60 prompt queries and the first step, before anything of the sums is lost.
		expect(sums[0]).toBeCloseTo(N + 1, 4);
		expect(rig.arm.bill().items.state).toBe(4 * 58 * 4 * TINY.layers);
	});

	it('starts anew for every sequence', () => {
		const runs = [0, 1].map(() => {
			const rig = rigOf({ scorer: { method: 'snapkv', params: { window: 4 } }, budget: { tokens: 20 }, interval: 3 });
			for (let step = 0; step < 9; step++) rig.decode();
			return positionsOf(rig);
		});
		expect(runs[0]).toEqual(runs[1]);
	});
});

/** The query that the rig draws for a step. */
function stepQuery(layer: number, queryHead: number, position: number): Float32Array {
	return fixtureNormal(`rig/sq${layer}.${queryHead}.${position}`, d);
}
