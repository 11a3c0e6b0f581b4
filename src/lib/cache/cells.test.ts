import { describe, expect, it } from 'vitest';
import { CELL_STATES } from '$lib/documents/trace.ts';
import { BY_HAND, cellStates } from './cells.ts';
import { lowRankCodec } from './codecs/lowrank.ts';
import { uniformCodec } from './codecs/uniform.ts';
import { randomArm, TINY } from './testing.ts';

const coded = (bits: number) => uniformCodec({ bits, axis: 'token', group: 8 });

describe('cell states', () => {
	it('say what became of every position of a head', () => {
		const arm = randomArm(12);
		const layer = arm.layers[1];
		layer.mark(1, [0], 'sink');
		layer.mark(1, [11], 'window');
		layer.protect([1], BY_HAND);
		layer.protect([2], 'recent');
		layer.encode(1, 'K', [3, 4], coded(2));
		layer.encode(1, 'V', [3], coded(2));
		layer.encode(1, 'K', [5], coded(3));
		layer.encode(1, 'V', [5, 6], coded(4));
		layer.encode(1, 'K', [6], coded(4));
		layer.encode(1, 'K', [7], lowRankCodec({ basis: new Float32Array(8).fill(1), columns: 8, rank: 1, precision: 16 }));
		layer.hide(1, [8]);
		layer.merge(1, [{ into: 10, from: [9], weights: [1], value: new Float32Array(8) }]);
		const span = 14;
		const cells = cellStates(arm, span);
		expect(cells.length).toBe(TINY.layers * TINY.kvHeads * span);
		expect([...cells.subarray(3 * span)].map((state) => CELL_STATES[state])).toEqual([
			'sink', 'pinned', 'kept', 'b2', 'b8', 'b3', 'b4', 'lowrank', 'hidden', 'evicted', 'merged', 'window', 'absent', 'absent'
		]);
		// Other heads have lost nothing.
		expect([...cells.subarray(0, span)].map((state) => CELL_STATES[state])).toEqual([...new Array(12).fill('kept'), 'absent', 'absent']);
	});

	it('call a position read but not kept evicted, before and after it is appended', () => {
		const arm = randomArm(2);
		for (const layer of arm.layers) for (const head of [0, 1]) arm.append(layer.layer, head, new Float32Array(8), new Float32Array(8), 2);
		arm.layers[0].evict(0, [0, 2]);
		expect([...cellStates(arm, 4).subarray(0, 4)].map((state) => CELL_STATES[state])).toEqual(['evicted', 'kept', 'evicted', 'absent']);
		expect(() => arm.append(0, 0, new Float32Array(8), new Float32Array(8), 1)).toThrow(/does not come after/);
	});
});
