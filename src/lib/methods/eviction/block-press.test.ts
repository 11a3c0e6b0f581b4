import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { Rig } from '../testing/views.ts';

const d = TINY.headDim;
const N = 60;
const full = randomArm(N);
const keptOf = (method: string, params: object) => {
	const { arm } = new Rig(full, [{ method, params }]).prefill();
	return arm.layers.map((layer) => [0, 1].map((head) => Array.from(layer.positions(head))));
};

/** Minus the cosine of each listed key with the mean direction of those keys. */
function oddness(keys: Float32Array, positions: number[]): number[] {
	const unit = positions.map((p) => {
		const row = Array.from(keys.subarray(p * d, (p + 1) * d));
		const norm = Math.hypot(...row);
		return row.map((x) => x / norm);
	});
	const mean = unit[0].map((_, c) => unit.reduce((sum, row) => sum + row[c], 0) / unit.length);
	return unit.map((row) => -row.reduce((sum, x, c) => sum + x * mean[c], 0) / Math.hypot(...mean));
}

describe('block-press', () => {
	it.each([1, 7, 16])('plays the rounds of a small memory, %i tokens at a time', (block) => {
		keptOf('block-press', { scorer: { method: 'keydiff' }, budget: { tokens: 20 }, block }).forEach((heads, layer) => heads.forEach((kept, head) => {
			const keys = full.layers[layer].keys(head);
			let memory = Array.from({ length: 20 }, (_, i) => i);
			for (let from = 20; from < N; from += block) {
				const all = [...memory, ...Array.from({ length: Math.min(block, N - from) }, (_, i) => from + i)];
				const scores = oddness(keys, all);
				memory = all.map((position, i) => ({ position, score: scores[i] })).sort((a, b) => b.score - a.score).slice(0, 20).map(({ position }) => position).sort((a, b) => a - b);
			}
			expect(kept).toEqual(memory);
		}));
	});

	it('scores that do not depend on the set give the one choice for every block', () => {
		const alone = keptOf('knorm', { budget: { tokens: 20 } });
		for (const block of [1, 9, 100]) expect(keptOf('block-press', { scorer: { method: 'knorm' }, budget: { tokens: 20 }, block })).toEqual(alone);
	});

	it('a block as long as the text is the scorer alone', () => {
		for (const scorer of [{ method: 'keydiff', params: {} }, { method: 'snapkv', params: { window: 8 } }, { method: 'h2o', params: {} }]) {
			const alone = keptOf(scorer.method, { ...scorer.params, budget: { tokens: 20 } });
			expect(keptOf('block-press', { scorer, budget: { tokens: 20 }, block: N })).toEqual(alone);
		}
	});

	it('chooses again after each block that is truly read, and keeps its budget', () => {
		const { instances: [instance], arm } = new Rig(full, [{ method: 'block-press', params: { scorer: { method: 'knorm' }, budget: { tokens: 20 } } }]);
		expect(instance.blockEnded).toBe(instance.prefilled);
		expect(arm.layers[0].length(0)).toBe(N);
	});

});
