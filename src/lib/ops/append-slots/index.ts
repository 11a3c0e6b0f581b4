/** Writes new keys and values into the working copy of a cache, in place. */
import type { Tensor } from '@tensorflow/tfjs-core';
import { registerOp, runOp } from '../kernel.ts';
import { stock } from './stock.ts';
import { webgpu } from './kernel.wgsl.ts';

registerOp({ name: 'WinnowAppendSlots', webgpu, stock });

/**
 * `cacheK`, `cacheV` [batch, kvHeads, capacity, headDim] (persistent tensors), `k`, `v`
 * [batch, kvHeads, tokens, headDim]. Token t of row b, head h goes to place
 * `at[b x kvHeads + h] + t`. Where `bias` [batch, kvHeads, capacity] is given, it becomes 0 at those places.
 * Throws RangeError if a place lies outside the capacity.
 */
export function appendSlots(cacheK: Tensor, cacheV: Tensor, k: Tensor, v: Tensor, at: Int32Array, bias?: Tensor): void {
	const [batch, kvHeads, capacity] = cacheK.shape;
	const tokens = (k.shape as number[])[2];
	checkPlaces(at, batch * kvHeads, tokens, capacity);
	runOp<Tensor[]>('WinnowAppendSlots', { cacheK, cacheV, k, v, ...(bias ? { bias } : {}) }, { at });
}

export function checkPlaces(at: Int32Array, count: number, tokens: number, capacity: number): void {
	if (at.length !== count) throw new RangeError(`expected ${count} places, one a row and KV head, got ${at.length}`);
	for (const place of at) {
		if (place < 0 || place + tokens > capacity) {
			throw new RangeError(`place ${place} and ${tokens} tokens do not fit a capacity of ${capacity}`);
		}
	}
}
