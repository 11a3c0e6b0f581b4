import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { promptView, Rig } from '../testing/views.ts';
import { received } from './observed-attention.ts';

const N = 30;
const d = TINY.headDim;

describe('observed-attention', () => {
	const full = randomArm(N);
	const rig = new Rig(full, []);

	/** The causal matrix of one query head, row by row from the definition. */
	const matrix = (layer: number, queryHead: number): number[][] => {
		const keys = full.layers[layer].keys(queryHead >> 1);
		const queries = rig.queries(layer, queryHead);
		return Array.from({ length: N }, (_, i) => {
			const weights = Array.from({ length: i + 1 }, (_, j) => {
				let dot = 0;
				for (let c = 0; c < d; c++) dot += queries[i * d + c] * keys[j * d + c];
				return Math.exp(dot / Math.sqrt(d));
			});
			const total = weights.reduce((a, b) => a + b);
			return weights.map((weight) => weight / total);
		});
	};

	it('is the mean over the visible queries and the group, from the full matrix', () => {
		for (const layer of [0, 1]) {
			const { byHead } = received(full.layers[layer], promptView(full, layer, (h) => rig.queries(layer, h)));
			byHead.forEach((row, head) => {
				const both = [2 * head, 2 * head + 1].map((h) => matrix(layer, h));
				row.forEach((score, j) => {
					const sums = both.map((rows) => rows.reduce((sum, weights) => sum + (weights[j] ?? 0), 0));
					expect(Math.abs(score - (sums[0] + sums[1]) / 2 / (N - j))).toBeLessThan(1e-6);
				});
				// All queries together paid 1 each.
				expect(row.reduce((sum, score, j) => sum + (N - j) * score, 0)).toBeCloseTo(N, 6);
			});
		}
	});

	it('keeps the best of each head', () => {
		const arm = new Rig(full, [{ method: 'observed-attention', params: { budget: { tokens: 8 } } }]).prefill().arm;
		const { byHead } = received(full.layers[1], promptView(full, 1, (h) => rig.queries(1, h)));
		byHead.forEach((row, head) => {
			const order = Array.from(row, (score, j) => ({ score, j })).sort((a, b) => b.score - a.score).slice(0, 8);
			expect(Array.from(arm.layers[1].positions(head))).toEqual(order.map(({ j }) => j).sort((a, b) => a - b));
		});
	});
});
