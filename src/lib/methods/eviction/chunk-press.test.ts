import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { partOf, seenOf } from '../part.ts';
import { apportion } from '../wrap.ts';
import { promptView, Rig } from '../testing/views.ts';

const d = TINY.headDim;
const N = 60;
const full = randomArm(N);
const keptOf = (params: object, method = 'chunk-press') => {
	const { arm } = new Rig(full, [{ method, params }]).prefill();
	return arm.layers.map((layer) => [0, 1].map((head) => Array.from(layer.positions(head))));
};
const best = (scores: number[], count: number, from: number) => scores.map((_, i) => i).sort((a, b) => scores[b] - scores[a]).slice(0, count).map((i) => i + from).sort((a, b) => a - b);

/** Mean attention of the last `w` tokens of a piece over that piece, over both query heads; queries turned by `turn`. */
function windowScores(layer: number, head: number, from: number, to: number, w: number, turn: number): number[] {
	const keys = full.layers[layer].keys(head);
	const scores = new Array<number>(to - from).fill(0);
	for (const queryHead of [2 * head, 2 * head + 1]) {
		const queries = new Rig(full, []).queries(layer, queryHead);
		for (let i = to - w; i < to; i++) {
			const query = full.rope.rotate(queries.slice(i * d, (i + 1) * d), [turn], d);
			const e = Array.from({ length: i + 1 - from }, (_, j) => {
				let dot = 0;
				for (let c = 0; c < d; c++) dot += query[c] * keys[(from + j) * d + c];
				return Math.exp(dot / Math.sqrt(d));
			});
			const total = e.reduce((a, b) => a + b);
			e.forEach((p, j) => (scores[j] += p / total / w / 2));
		}
	}
	return scores.map((score, j) => (j >= to - w - from ? Infinity : score));
}

describe('chunk-press', () => {
	it('keeps the same share of every piece, by the scores within it', () => {
		keptOf({ scorer: { method: 'knorm' }, budget: { fraction: 0.3 }, chunk: 16 }).forEach((heads, layer) => heads.forEach((kept, head) => {
			const keys = full.layers[layer].keys(head);
			const wanted = [0, 16, 32, 48].flatMap((from) => {
				const size = Math.min(16, N - from);
				const scores = Array.from({ length: size }, (_, j) => -Math.hypot(...keys.subarray((from + j) * d, (from + j + 1) * d)));
				return best(scores, Math.floor(size * 0.3), from);
			});
			expect(kept).toEqual(wanted);
		}));
	});

	it('with a piece as long as the text is the scorer alone', () => {
		for (const scorer of [{ method: 'knorm' }, { method: 'snapkv', params: { window: 8 } }, { method: 'h2o' }]) {
			const alone = keptOf({ ...(scorer as { params?: object }).params, budget: { tokens: 20 } }, scorer.method);
			expect(keptOf({ scorer, budget: { tokens: 20 }, chunk: N })).toEqual(alone);
			expect(keptOf({ scorer, budget: { tokens: 20 }, chunk: 4096, variant: 'released' })).toEqual(alone);
		}
	});

	it.each([['ours', 0], ['released', 1]] as const)('a window looks from the end of each piece (%s)', (variant, turned) => {
		const scorer = { method: 'snapkv', params: { window: 4, kernel: 1 } };
		keptOf({ scorer, budget: { fraction: 0.5 }, chunk: 20, variant }).forEach((heads, layer) => heads.forEach((kept, head) => {
			const wanted = [0, 20, 40].flatMap((from) => {
				const scores = windowScores(layer, head, from, from + 20, 4, turned * (N - from - 20));
				return best(scores, 10, from);
			});
			expect(kept).toEqual(wanted);
		}));
	});

	it('the released turn changes the choice', () => {
		const params = { scorer: { method: 'snapkv', params: { window: 4, kernel: 1 } }, budget: { fraction: 0.5 }, chunk: 20 };
		expect(keptOf({ ...params, variant: 'released' })).not.toEqual(keptOf(params));
	});

	it('deals a budget in tokens out in whole, and keeps one token a piece of a fraction', () => {
		for (const tokens of [1, 2, 7, 33]) {
			for (const heads of keptOf({ scorer: { method: 'snapkv' }, budget: { tokens }, chunk: 16 })) {
				for (const kept of heads) expect(kept).toHaveLength(tokens);
			}
		}
		for (const heads of keptOf({ scorer: { method: 'knorm' }, budget: { fraction: 0.02 }, chunk: 16 })) {
			for (const kept of heads) expect(kept.map((position) => Math.floor(position / 16))).toEqual([0, 1, 2, 3]);
		}
	});
});

describe('apportion', () => {
	it('rounds to the total, largest remainders first', () => {
		expect(apportion([1.5, 2.25, 0.75, 0.5], 5)).toEqual([2, 2, 1, 0]);
		expect(apportion([1, 2], 3)).toEqual([1, 2]);
		expect(apportion([0.4, 0.4], 0)).toEqual([0, 0]);
	});
});

describe('a part of a layer', () => {
	it('shows only its slots, and sums attention over them', () => {
		const layer = full.layers[0];
		const rig = new Rig(full, []);
		const view = promptView(full, 0, (queryHead) => rig.queries(0, queryHead));
		const part = partOf(layer, [[3, 10, 20], [4, 5]]);
		expect(Array.from(part.positions(0))).toEqual([3, 10, 20]);
		expect(part.keys(1)).toEqual(layer.keys(1).slice(4 * d, 6 * d));
		const seen = seenOf(view, part, 10, 22);
		expect(seen.queries(1)).toEqual(rig.queries(0, 1).slice(10 * d, 22 * d));
		const sums = seen.attentionSums(2);
		// Every one of the 12 queries sees both slots of head 1.
		expect(sums[4] + sums[5]).toBeCloseTo(12, 10);
		expect(sums.filter((x) => x > 0)).toHaveLength(2);
		// In head 0 the first ten queries of the part cannot see slot 20.
		expect(seen.attentionSums(0)[20]).toBeLessThan(2);
	});
});
