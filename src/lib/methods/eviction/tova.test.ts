import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { promptView, Rig } from '../testing/views.ts';
import { byLastToken } from './tova.ts';

const N = 50;
const d = TINY.headDim;
const full = randomArm(N);
const rigOf = (params: object) => new Rig(full, [{ method: 'tova', params }]);
const sets = (rig: Rig) => rig.arm.layers.map((layer) => [0, 1].map((head) => Array.from(layer.positions(head))));

/** The last query's attention averaged over all query heads, from the definition. */
function lastRow(rig: Rig, layer: number): number[] {
	const mean = new Array<number>(N).fill(0);
	for (let h = 0; h < TINY.heads; h++) {
		const keys = full.layers[layer].keys(h >> 1);
		const query = rig.queries(layer, h).subarray((N - 1) * d);
		const weights = mean.map((_, j) => {
			let dot = 0;
			for (let c = 0; c < d; c++) dot += query[c] * keys[j * d + c];
			return Math.exp(dot / Math.sqrt(d));
		});
		const total = weights.reduce((a, b) => a + b);
		weights.forEach((weight, j) => (mean[j] += weight / total / TINY.heads));
	}
	return mean;
}

describe('tova', () => {
	it('scores by the last row to 1e-6, the newest at the largest + 1, the rest summing to what the newest left', () => {
		const rig = rigOf({});
		for (const layer of [0, 1]) {
			const brute = lastRow(rig, layer);
			const seen = promptView(full, layer, (h) => rig.queries(layer, h).subarray((N - 1) * d));
			for (const row of byLastToken(full.layers[layer], { ...seen, n: N }, true).byHead) {
				for (let j = 0; j < N - 1; j++) expect(Math.abs(row[j] - brute[j])).toBeLessThan(1e-6);
				expect(row[N - 1]).toBeCloseTo(Math.max(...brute.slice(0, -1)) + 1, 6);
				expect(row.slice(0, -1).reduce((a, b) => a + b)).toBeCloseTo(1 - brute[N - 1], 6);
			}
			const free = byLastToken(full.layers[layer], { ...seen, n: N }, false);
			expect(Math.abs(free.byHead[0][N - 1] - brute[N - 1])).toBeLessThan(1e-6);
		}
	});

	it('keeps the same tokens in all heads of a layer and the newest at every budget', () => {
		for (const tokens of [1, 5, 20, 49]) {
			for (const [first, second] of sets(rigOf({ budget: { tokens } }).prefill())) {
				expect(first).toEqual(second);
				expect(first).toHaveLength(tokens);
				expect(first.at(-1)).toBe(N - 1);
			}
		}
	});

	it.each([true, false])('drops the least attended at each of 40 steps and holds the budget (keep_newest %s)', (keep_newest) => {
		const rig = rigOf({ budget: { tokens: 14 }, keep_newest }).prefill();
		for (let step = 0; step < 40; step++) {
			const before = sets(rig);
			rig.decode();
			sets(rig).forEach(([found, other], layer) => {
				const present = [...before[layer][0], N + step];
				const mean = present.map((_, slot) => rig.lastAttention[layer].reduce((sum, row) => sum + row[slot] / TINY.heads, 0));
				const open = keep_newest ? mean.slice(0, -1) : mean;
				const gone = present[open.indexOf(Math.min(...open))];
				expect(found).toEqual(present.filter((position) => position !== gone));
				expect(other).toEqual(found);
				expect(found).toHaveLength(14);
			});
		}
	});

	it('lets the cache grow without decode', () => {
		const rig = rigOf({ budget: { tokens: 10 }, decode: false }).prefill();
		for (let step = 0; step < 4; step++) rig.decode();
		expect(rig.arm.layers[0].length(0)).toBe(14);
	});
});
