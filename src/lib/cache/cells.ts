/** States for the cache map: one byte a cell, layer-major, then head, then position. */
import { CELL_STATES, type CellState } from '$lib/documents/trace.ts';
import type { ArmCache } from './arm-cache.ts';
import type { HeadStore } from './head-store.ts';
import { PAST, ROLES } from './slot-table.ts';

const STATE = Object.fromEntries(CELL_STATES.map((state, i) => [state, i])) as Record<CellState, number>;
/** The reason under which a reader's own pins are protected. */
export const BY_HAND = 'hand';

/** Mean nominal bits of K and V as a state of the map: the nearest, but from 5 bits on never fewer than there are. */
function stateOfBits(bits: number): CellState {
	return bits <= 2.5 ? 'b2' : bits <= 3.5 ? 'b3' : bits < 5 ? 'b4' : 'b8';
}

/** What stands out most. Slots in slow memory cannot be read, so they are hidden; shared ones look as what they are. */
function stateOfSlot(head: HeadStore, slot: number, pinned: boolean): CellState {
	const { columns } = head.slots;
	if (columns.hidden[slot]) return 'hidden';
	if (pinned) return 'pinned';
	const past = columns.past[slot];
	if (past & PAST.corrupted) return 'corrupted';
	const [k, v] = [columns.blockK[slot], columns.blockV[slot]];
	if (k >= 0 || v >= 0) {
		const [codecK, codecV] = [head.blocks.get(k)?.codec, head.blocks.get(v)?.codec];
		if (codecK?.rank !== undefined || codecV?.rank !== undefined) return 'lowrank';
		const bits = ((codecK?.bits ?? 16) + (codecV?.bits ?? 16)) / 2;
		if (bits < 16) return stateOfBits(bits);
	}
	if (past & PAST.merged) return 'merged';
	if (past & PAST.fetched) return 'fetched';
	if (past & PAST.restored) return 'restored';
	const role = ROLES[columns.role[slot]];
	return role === 'none' ? 'kept' : role;
}

/** Uint8 [layers, kvHeads, span], index into CELL_STATES; positions not yet read are `absent`. */
export function cellStates(arm: ArmCache, span: number): Uint8Array {
	const { layers, kvHeads } = arm.shape;
	const cells = new Uint8Array(layers * kvHeads * span).fill(STATE.absent);
	for (const layer of arm.layers) {
		layer.heads.forEach((head, index) => {
			const at = (layer.layer * kvHeads + index) * span;
			cells.fill(STATE.evicted, at, at + Math.min(span, arm.tokens));
			const { position } = head.slots.columns;
			for (let slot = 0; slot < head.length; slot++) {
				const pinned = layer.protection(index, position[slot]) === BY_HAND;
				if (position[slot] < span) cells[at + position[slot]] = STATE[stateOfSlot(head, slot, pinned)];
			}
		});
	}
	return cells;
}
