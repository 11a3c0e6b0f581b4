import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { Rig } from '../testing/views.ts';

const d = TINY.headDim;
const spec = (params: object) => ({ method: 'chunkkv', params: { scorer: { method: 'knorm' }, ...params } });
const keptOf = (n: number, params: object, stack: unknown[] = []) => {
	const rig = new Rig(randomArm(n), [...stack, spec(params)]).prefill();
	return rig.arm.layers.map((layer) => [0, 1].map((head) => Array.from(layer.positions(head))));
};
/** Minus the length of the key, summed over the heads, straight from the numbers. */
function sums(n: number, layer: number): number[] {
	const store = randomArm(n).layers[layer];
	return Array.from({ length: n }, (_, j) => -[0, 1].reduce((sum, head) => sum + Math.hypot(...store.keys(head).subarray(j * d, (j + 1) * d)), 0));
}
const best = (scores: number[], count: number) => scores.map((_, i) => i).sort((a, b) => scores[b] - scores[a] || a - b).slice(0, count).sort((a, b) => a - b);

describe('chunkkv', () => {
	it('with chunks of 1 keeps the best tokens by the sum over the heads', () => {
		keptOf(60, { chunk: 1, budget: { fraction: 0.3 } }).forEach((heads, layer) => {
			const wanted = best(sums(60, layer), 18);
			expect(heads).toEqual([wanted, wanted]);
		});
	});

	it('keeps whole chunks, chosen by the mean of their tokens, the same in all heads', () => {
		keptOf(64, { chunk: 7, budget: { fraction: 0.5 } }).forEach((heads, layer) => {
			const scores = sums(64, layer);
			// 64 = 9 chunks of 7 and one of 1.
			const means = Array.from({ length: 10 }, (_, i) => {
				const part = scores.slice(7 * i, 7 * i + 7);
				return part.reduce((a, b) => a + b) / part.length;
			});
			const wanted = best(means, 5).flatMap((i) => Array.from({ length: Math.min(7, 64 - 7 * i) }, (_, j) => 7 * i + j));
			expect(heads).toEqual([wanted, wanted]);
		});
	});

	it('of 203 tokens in chunks of 20 keeps 100 at one half, or 83 with the short last chunk', () => {
		const lengths = keptOf(203, { chunk: 20, budget: { fraction: 0.5 } }).map((heads) => heads[0]);
		for (const kept of lengths) expect(kept.length).toBe(kept.includes(202) ? 83 : 100);
	});

	it('with a window inside, the last chunk is always chosen', () => {
		for (const [kept] of keptOf(63, { chunk: 10, budget: { fraction: 0.3 }, scorer: { method: 'snapkv', params: { window: 2 } } })) {
			expect(kept.slice(-3)).toEqual([60, 61, 62]);
		}
	});

	it('keeps one chunk at least for a fraction; tokens and bytes are never exceeded', () => {
		for (const [kept] of keptOf(60, { chunk: 20, budget: { fraction: 0.1 } })) expect(kept).toHaveLength(20);
		for (const [kept] of keptOf(60, { chunk: 20, budget: { tokens: 39 } })) expect(kept).toHaveLength(20);
		for (const heads of keptOf(60, { chunk: 20, budget: { tokens: 6 } })) for (const kept of heads) expect(kept).toHaveLength(6);
		for (const bytes of [2000, 3001, 5555]) {
			const arm = new Rig(randomArm(60), [spec({ chunk: 7, budget: { bytes } })]).prefill().arm;
			expect(arm.bill().total).toBeLessThanOrEqual(bytes);
		}
	});

	it('a text shorter than a chunk is left to the scorer', () => {
		const plain = new Rig(randomArm(15), [{ method: 'knorm', params: { budget: { fraction: 0.4 } } }]).prefill().arm;
		keptOf(15, { chunk: 20, budget: { fraction: 0.4 } }).forEach((heads, layer) => {
			heads.forEach((kept, head) => expect(kept).toEqual(Array.from(plain.layers[layer].positions(head))));
		});
	});

	it('follows an eviction that left the heads different tokens', () => {
		const before = { method: 'adakv', params: { scorer: { method: 'knorm' }, budget: { tokens: 30 } } };
		for (const heads of keptOf(60, { chunk: 5, budget: { tokens: 15 } }, [before])) {
			for (const kept of heads) expect(kept.length).toBeGreaterThan(0);
			for (const kept of heads) expect(kept.length).toBeLessThanOrEqual(15);
		}
	});
});
