import { describe, expect, it } from 'vitest';
import * as tf from '@tensorflow/tfjs-core';
import type { Preferred } from '../backend.ts';
import { check, normal, tensor } from '../testing.ts';
import { topK } from './index.ts';

export function topKSuite(backend: Preferred): void {
	describe(`topK on ${backend}`, () => {
		it.each([[1, 4096, 10], [5, 40, 40], [3, 7, 1]])('%i rows of %i, the %i largest', async (rows, width, k) => {
			const x = normal(`topk ${width}`, rows, width);
			// Rounded, so that there are ties: the lower index comes first.
			for (let i = 0; i < x.data.length; i++) x.data[i] = Math.round(x.data[i] * 4) / 4;
			const order = Array.from({ length: rows }, (_, r) => {
				const row = x.data.subarray(r * width, (r + 1) * width);
				return Array.from(row.keys()).sort((a, b) => row[b] - row[a] || a - b).slice(0, k);
			});
			await check(backend, () => {
				const { values, indices } = topK(tensor(x), k);
				return [values, indices];
			}, [order.flatMap((ids, r) => ids.map((id) => x.data[r * width + id])), order.flat()], 0);
		});

		it('refuses more than there are', () => {
			const x = tf.zeros([1, 3]);
			expect(() => topK(x, 4)).toThrow(RangeError);
			x.dispose();
		});
	});
}
