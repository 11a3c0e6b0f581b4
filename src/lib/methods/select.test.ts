import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { argMin, meanOf, others, poolAverage, rowNorms, slotsWhere, topSlots } from './select.ts';
import { realign, rowsOf, slotsAt, union } from './slots.ts';

describe('topSlots', () => {
	it('gives the best slots in position order, ties to the lower slot', () => {
		expect(topSlots([1, 3, 2, 3, 3], 2)).toEqual(Int32Array.of(1, 3));
		expect(topSlots([0, 0, 0, 0], 2)).toEqual(Int32Array.of(0, 1));
	});
	it('takes what always stays first, and the newest of that if it is too much', () => {
		expect(topSlots([9, 8, 0, 0, 0], 3, [0, 0, 1, 0, 1])).toEqual(Int32Array.of(0, 2, 4));
		expect(topSlots([9, 8, 0, 0, 0], 2, [0, 0, 1, 1, 1])).toEqual(Int32Array.of(3, 4));
		expect(topSlots([9, 8, 0, 0, 0], 2, [0, 2, 1, 1, 1])).toEqual(Int32Array.of(1, 4));
	});
	it('keeps all when the count is larger, also without limit', () => {
		expect(topSlots([2, 1], Infinity)).toEqual(Int32Array.of(0, 1));
		expect(topSlots([2, 1], 0)).toEqual(new Int32Array(0));
	});
	it('never leaves out a slot that beats a kept one', () => {
		fc.assert(
			fc.property(fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 30 }), fc.nat(30), (scores, count) => {
				const kept = topSlots(scores, count);
				const gone = others(scores.length, kept);
				expect(kept.length).toBe(Math.min(count, scores.length));
				for (const g of gone) for (const k of kept) expect(scores[g] < scores[k] || (scores[g] === scores[k] && g > k)).toBe(true);
			})
		);
	});
});

describe('small functions', () => {
	it('pools with the full divisor at the borders', () => {
		expect(Array.from(poolAverage([5, 10, 15, 20], 5))).toEqual([6, 10, 10, 9]);
		expect(Array.from(poolAverage([5, 10], 1))).toEqual([5, 10]);
	});
	it('finds the smallest open slot, the oldest of equals', () => {
		expect(argMin([3, 1, 1], [1, 1, 1])).toBe(1);
		expect(argMin([3, 1, 1], [1, 0, 1])).toBe(2);
		expect(argMin([3], [0])).toBe(-1);
	});
	it('takes means and norms', () => {
		expect(Array.from(meanOf([[1, 2], [3, 6]]))).toEqual([2, 4]);
		expect(Array.from(rowNorms([3, 4, 0, 2], 2))).toEqual([5, 2]);
		expect(slotsWhere([0, 1, 1])).toEqual(Int32Array.of(1, 2));
	});
	it('finds slots by position after others have gone', () => {
		expect(slotsAt([0, 3, 4, 9], [3, 5, 9])).toEqual(Int32Array.of(1, 3));
		expect(Array.from(realign([0, 3, 4], [10, 13, 14], [0, 4, 5]))).toEqual([10, 14, 0]);
		expect(Array.from(union(3, [1, 0, 0], undefined, [0, 0, 1]))).toEqual([1, 0, 1]);
		expect(Array.from(rowsOf(Float32Array.of(1, 2, 3, 4), [1], 2))).toEqual([3, 4]);
	});
});
