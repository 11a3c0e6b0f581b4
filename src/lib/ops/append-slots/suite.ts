import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend, type Preferred } from '../backend.ts';
import { persistent, persistentFrom, read, write } from '../buffers.ts';
import { normal, tensor } from '../testing.ts';
import { appendSlots } from './index.ts';

export function appendSlotsSuite(backend: Preferred): void {
	describe(`appendSlots on ${backend}`, () => {
		const [batch, heads, capacity, headDim] = [2, 3, 11, 4];
		beforeAll(async () => { await openBackend(backend); });

		it.each([1, 4])('writes %i tokens to their places and nothing else', async (tokens) => {
			const old = normal('append old', batch, heads, capacity, headDim);
			const [k, v] = [normal('append k', batch, heads, tokens, headDim), normal('append v', batch, heads, tokens, headDim)];
			const at = Int32Array.of(0, 3, 7, 5, 1, 2);
			const caches = [persistentFrom(old.data.slice(), old.shape), persistentFrom(old.data.slice(), old.shape)];
			const sources = [tensor(k), tensor(v)];
			// Read before as well: a copy that was cached then must not come back.
			await read(caches[0]);
			const bias = persistentFrom(new Float32Array(batch * heads * capacity).fill(-1), [batch, heads, capacity]);
			appendSlots(caches[0], caches[1], sources[0], sources[1], at, bias);
			const shown = Array.from({ length: batch * heads * capacity }, (_, i) => (i % capacity >= at[Math.floor(i / capacity)] && i % capacity < at[Math.floor(i / capacity)] + tokens ? 0 : -1));
			expect(Array.from(await read(bias))).toEqual(shown);
			for (const [cache, source] of [[caches[0], k], [caches[1], v]] as const) {
				const expected = old.data.slice();
				at.forEach((place, row) => expected.set(
					source.data.subarray(row * tokens * headDim, (row + 1) * tokens * headDim), (row * capacity + place) * headDim));
				expect(Array.from(await read(cache))).toEqual(Array.from(expected));
			}
			tf.dispose([...caches, ...sources, bias]);
		});

		it('refuses places beyond the capacity', () => {
			const cache = persistent([1, 1, 4, 2]);
			const k = tf.zeros([1, 1, 2, 2]);
			expect(() => appendSlots(cache, cache, k, k, Int32Array.of(3))).toThrow(RangeError);
			expect(() => appendSlots(cache, cache, k, k, Int32Array.of(-1))).toThrow(RangeError);
			expect(() => appendSlots(cache, cache, k, k, Int32Array.of(0, 0))).toThrow(RangeError);
			tf.dispose([cache, k]);
		});

		it('keeps the order of kernels and host writes', async () => {
			const cache = persistent([1, 1, 4, 2]);
			const other = persistent([1, 1, 4, 2]);
			const one = tensor({ data: Float32Array.of(1, 1), shape: [1, 1, 1, 2] });
			appendSlots(cache, other, one, one, Int32Array.of(2));
			write(cache, 4, Float32Array.of(5, 6));
			expect(Array.from(await read(cache))).toEqual([0, 0, 0, 0, 5, 6, 0, 0]);
			appendSlots(cache, other, one, one, Int32Array.of(2));
			expect(Array.from(await read(cache))).toEqual([0, 0, 0, 0, 1, 1, 0, 0]);
			expect(() => write(cache, 7, Float32Array.of(1, 2))).toThrow(RangeError);
			tf.dispose([cache, other, one]);
		});
	});
}
