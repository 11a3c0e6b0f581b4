import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { fixtureNormal } from '$lib/numerics/fixture.ts';
import type { PromptView, ReadingView } from '../define.ts';
import { expectBillIsPacked } from '../testing/untouched.ts';
import { Rig } from '../testing/views.ts';
import { largestFrom } from './foresightkv.ts';

const N = 40;
const W = 4;
const BLOCKS = 3;
/** What block s pays to a token, by layer and query head. */
const paid = (layer: number, queryHead: number, s: number) => Float64Array.from(fixtureNormal(`paid${layer}.${queryHead}.${s}`, N), Math.abs);

function rigOf(tokens: number): Rig {
	const rig = new Rig(randomArm(N), [{ method: 'foresightkv', params: { budget: { tokens }, block: W } }]);
	rig.arm.layers.forEach((layer, l) => {
		const reading = { n: W * BLOCKS, blocks: BLOCKS, columns: (queryHead: number, s = 0) => paid(l, queryHead, s) } as ReadingView;
		rig.instances[0].prefilled!(layer, { n: N, model: TINY, reading: () => reading } as unknown as PromptView);
	});
	return rig;
}
/** F from the definition. */
const oracle = (layer: number, head: number, from: number, position: number) =>
	Math.max(0, ...[0, 1, 2].filter((s) => s >= from).map((s) => (paid(layer, 2 * head, s)[position] + paid(layer, 2 * head + 1, s)[position]) / 2));

describe('largestFrom', () => {
	it('never grows as time goes on, and ends at nothing', () => {
		const blocks = [0, 1, 2].map((s) => paid(0, 0, s));
		const f = [0, 1, 2, 3].map((from) => largestFrom(blocks, from, N));
		f.slice(1).forEach((row, i) => row.forEach((value, j) => expect(value).toBeLessThanOrEqual(f[i][j])));
		expect(f[3].every((value) => value === 0)).toBe(true);
	});

	it('lets the smallest go: no other set of that size loses less', () => {
		const values = largestFrom([0, 1].map((s) => paid(1, 1, s).subarray(0, 10)), 0, 10);
		const dropped = Array.from(values).sort((a, b) => a - b).slice(0, 4).reduce((a, b) => a + b);
		for (let mask = 0; mask < 1024; mask++) {
			const set = Array.from(values).filter((_, i) => (mask >> i) & 1);
			if (set.length === 4) expect(set.reduce((a, b) => a + b)).toBeGreaterThanOrEqual(dropped - 1e-12);
		}
	});
});

describe('foresightkv', () => {
	it('keeps what the future looks at most, drops a block at the end of each, and keeps its budget there', () => {
		const rig = rigOf(20);
		const wanted = rig.arm.layers.map((_, l) => [0, 1].map((head) => keepBest(Array.from({ length: N }, (_, p) => p), (p) => oracle(l, head, 0, p), 20)));
		for (let step = 0; step <= 12; step++) {
			rig.arm.layers.forEach((layer, l) => [0, 1].forEach((head) => {
				expect(Array.from(layer.positions(head))).toEqual(wanted[l][head]);
				expect(layer.length(head)).toBe(20 + (step % W));
			}));
			expectBillIsPacked(rig.arm);
			rig.decode();
			wanted.forEach((heads, l) => heads.forEach((positions, head) => {
				positions.push(N + step);
				if ((step + 1) % W) return;
				const [prompt, written] = [positions.filter((p) => p < N), positions.filter((p) => p >= N)];
				heads[head] = [...keepBest(prompt, (p) => oracle(l, head, (step + 1) / W, p), 20 - written.length), ...written];
			}));
		}
	});

	it('changes nothing while the budget is not reached', () => {
		const rig = rigOf(N + 12);
		for (let step = 0; step < 12; step++) rig.decode();
		for (const layer of rig.arm.layers) expect(layer.length(0)).toBe(N + 12);
		expect(rig.arm.records).toEqual([]);
	});

	it('keeps the newest of the written tokens when no prompt token is left', () => {
		const rig = rigOf(4);
		for (let step = 0; step < 12; step++) rig.decode();
		for (const layer of rig.arm.layers) expect(Array.from(layer.positions(1))).toEqual([N + 8, N + 9, N + 10, N + 11]);
	});
});

function keepBest(positions: number[], score: (position: number) => number, count: number): number[] {
	return [...positions].sort((a, b) => score(b) - score(a) || a - b).slice(0, count).sort((a, b) => a - b);
}
