/** Slots by index, from any source row: how a prompt read once forks to many rows. */
import type { Tensor } from '@tensorflow/tfjs-core';
import { registerOp, runOp } from '../kernel.ts';
import { stock } from './stock.ts';
import { webgpu } from './kernel.wgsl.ts';

registerOp({ name: 'WinnowGatherSlots', webgpu, stock });

/**
 * `source` [sourceRows, kvHeads, slots, headDim]; `index` has rows.length x kvHeads x `count`
 * entries; target row r reads source row `rows[r]`; -1 gives zeros.
 * -> [rows.length, kvHeads, count, headDim]. Throws RangeError for an index outside the source.
 */
export function gatherSlots(source: Tensor, index: Int32Array, rows: Int32Array, count: number): Tensor {
	const [sourceRows, kvHeads, slots] = source.shape;
	if (index.length !== rows.length * kvHeads * count) {
		throw new RangeError(`expected ${rows.length * kvHeads * count} indices, got ${index.length}`);
	}
	for (const row of rows) if (row < 0 || row >= sourceRows) throw new RangeError(`there is no source row ${row}`);
	for (const slot of index) if (slot < -1 || slot >= slots) throw new RangeError(`there is no slot ${slot} among ${slots}`);
	return runOp('WinnowGatherSlots', { source }, { index, rows, count });
}
