/**
 * What must be stored beside the numbers so that a reader of the packed cache knows which slot a
 * number belongs to. Nothing, where that follows from the order of things.
 */
import type { Block } from './block.ts';
import type { HeadStore } from './head-store.ts';
import type { Which } from './types.ts';

/** True when the slots are the unbroken run of positions 0, 1, 2, … */
export function isUnbrokenRun(head: HeadStore): boolean {
	const { position } = head.slots.columns;
	return head.length === 0 || (position[0] === 0 && position[head.length - 1] === head.length - 1);
}

/** True when heads of a layer differ in length, so that offsets are needed. */
export function isRagged(heads: readonly HeadStore[]): boolean {
	return heads.some((head) => head.length !== heads[0].length);
}

/** True when a slot's logit carries a correction. */
export function hasBias(head: HeadStore): boolean {
	const { bias } = head.slots.columns;
	for (let i = 0; i < head.length; i++) if (bias[i] !== 0) return true;
	return false;
}

/** Bytes of a position: 2, or 4 where positions reach beyond 65535. */
export function positionBytes(context: number): 2 | 4 {
	return context > 65536 ? 4 : 2;
}

/**
 * How the encoded slots of a head are found:
 * `none`: one run of slots, its blocks in order (no map);
 * `bitmap`: blocks in order, but exact slots in between (one bit a slot);
 * `blocks`: anything else (2 bytes a slot: 0 exact, otherwise 1 + number of the block).
 */
export type SlotMap = 'none' | 'bitmap' | 'blocks';

export function slotMapOf(head: HeadStore, which: Which): SlotMap {
	const ids = head.slots.columns[which === 'K' ? 'blockK' : 'blockV'];
	let lastId = -1;
	let runs = 0;
	for (let i = 0; i < head.length; i++) {
		if (ids[i] < 0) continue;
		if (ids[i] < lastId) return 'blocks';
		lastId = ids[i];
		if (i === 0 || ids[i - 1] < 0) runs++;
	}
	// Ascending block numbers may still interleave with exact slots; rows stay in slot order within a block.
	return runs > 1 ? 'bitmap' : 'none';
}

/** Bytes of that map for `length` slots. */
export function slotMapBytes(map: SlotMap, length: number): number {
	return map === 'none' ? 0 : map === 'bitmap' ? Math.ceil(length / 8) : 2 * length;
}

/** Live rows of each block of a head, in block order. */
export function liveRows(head: HeadStore, which: Which): { block: Block; rows: number[] }[] {
	const { columns } = head.slots;
	const [ids, inside] = which === 'K' ? [columns.blockK, columns.inK] : [columns.blockV, columns.inV];
	const live = new Map<number, number[]>();
	for (let i = 0; i < head.length; i++) {
		if (ids[i] < 0) continue;
		const rows = live.get(ids[i]);
		if (rows) rows.push(inside[i]);
		else live.set(ids[i], [inside[i]]);
	}
	return [...live].sort(([a], [b]) => a - b).map(([id, rows]) => ({ block: head.blocks.get(id)!, rows }));
}

/** Bytes of the bitmap of live rows, needed once a block holds dead ones. */
export function deadRowBytes(rows: number, live: number): number {
	return live < rows ? Math.ceil(rows / 8) : 0;
}
