import { describe, expect, it } from 'vitest';
import * as tf from '@tensorflow/tfjs-core';
import type { Preferred } from '../backend.ts';
import { check, normal, tensor } from '../testing.ts';
import { gatherSlots } from './index.ts';

export function gatherSlotsSuite(backend: Preferred): void {
	describe(`gatherSlots on ${backend}`, () => {
		it('gathers from any row; -1 gives zeros', async () => {
			const [heads, slots, dim, count] = [2, 5, 4, 3];
			const source = normal('gather', 2, heads, slots, dim);
			const rows = Int32Array.of(1, 0, 0);
			const index = Int32Array.of(4, 0, -1, 2, 2, 1, -1, -1, -1, 0, 1, 2, 3, -1, 4, 1, 1, 0);
			const expected = new Float32Array(rows.length * heads * count * dim);
			index.forEach((slot, i) => {
				if (slot < 0) return;
				const at = ((rows[Math.floor(i / (heads * count))] * heads + (Math.floor(i / count) % heads)) * slots + slot) * dim;
				expected.set(source.data.subarray(at, at + dim), i * dim);
			});
			await check(backend, () => [gatherSlots(tensor(source), index, rows, count)], [expected], 0);
		});

		it('refuses indices outside the source', () => {
			const source = tf.zeros([1, 1, 2, 2]);
			expect(() => gatherSlots(source, Int32Array.of(2), Int32Array.of(0), 1)).toThrow(RangeError);
			expect(() => gatherSlots(source, Int32Array.of(0), Int32Array.of(1), 1)).toThrow(RangeError);
			expect(() => gatherSlots(source, Int32Array.of(0, 1), Int32Array.of(0), 1)).toThrow(RangeError);
			source.dispose();
		});
	});
}
