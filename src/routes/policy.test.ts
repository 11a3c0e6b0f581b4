import { describe, expect, it } from 'vitest';
import type { ModelShape, Trace } from '$lib/documents/trace.ts';
import { bytesOfMarks, fillNewest, likeArm, marksOf, scoreBeside, tokensFor, withMarks } from './policy.ts';

const model = { layers: 2, kvHeads: 2, headDim: 16 } as ModelShape;

describe('the reader as the policy', () => {
	it('writes marks as one edit beside others of the arm, and reads them back', () => {
		const evict = { step: 2, act: 'evict' as const, positions: [3], layer: 0, head: 1 };
		const arm = withMarks({ stack: [], edits: [evict] }, [7, 3, 3, 99], 10);
		expect(marksOf(arm)).toEqual([3, 7]);
		expect(arm.edits).toHaveLength(2);
		expect(withMarks(arm, [1], 10).edits).toEqual([{ step: -1, act: 'keep', positions: [1] }, evict]);
		expect(marksOf(withMarks(arm, [], 10))).toEqual([9]);
		expect(marksOf({ stack: [{ method: 'snapkv' }], edits: arm.edits })).toBeNull();
		expect(marksOf({ stack: [] })).toBeNull();
	});

	it('spends no more bytes than there are', () => {
		for (const bytes of [1, 264, 5000, 26400]) {
			const tokens = tokensFor(model, bytes, 50);
			expect(bytesOfMarks(model, tokens) <= bytes || tokens === 1).toBe(true);
			expect(bytesOfMarks(model, tokens + 1) > bytes || tokens === 50).toBe(true);
		}
	});

	it('fills up with the newest, and starts from what most heads of another arm keep', () => {
		expect(fillNewest([1, 9], 4, 10).sort()).toEqual([1, 7, 8, 9]);
		expect(fillNewest([1, 2, 3], 2, 10)).toEqual([1, 2, 3]);
		expect(likeArm([[[0, 4], [4]], [[4, 5], [0, 12]]], 2, 10)).toEqual([4, 0]);
	});

	it('ranks only arms of equal bytes', () => {
		const arm = (total: number, kl: number) => ({ billAfterPrompt: { total }, steps: [{ kl }] });
		const trace = { arms: [arm(1000, 0.3), arm(1010, 0.1), arm(1100, 0.01)] } as unknown as Trace;
		expect(scoreBeside(trace, 0)).toMatchObject({ ranked: [{ arm: 1, kl: 0.1 }, { arm: 0, kl: 0.3 }], other: [2] });
	});
});
