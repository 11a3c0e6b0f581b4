/**
 * What must be stored beside the numbers so that a reader of the packed cache knows which slot a
 * number belongs to. Nothing, where that follows from the order of things.
 */
import type { HeadStore } from './head-store.ts';
import { OWNER } from './sharing.ts';
import { OFFLOADED } from './slot-table.ts';
import type { Payload, Which } from './types.ts';

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

/** The slots whose numbers of one side this head pays for: all but those that another owns. */
export function ownSlots(head: HeadStore, which: Which): number[] {
	const owner = head.slots.columns[OWNER[which]];
	return Array.from({ length: head.length }, (_, slot) => slot).filter((slot) => owner[slot] < 0);
}

export function isSlow(head: HeadStore, slot: number): boolean {
	return (head.slots.columns.hidden[slot] & OFFLOADED) !== 0;
}

/** What is stored of a block, in one of the two memories. */
export interface StoredBlock {
	/** Number of the block within head and side. */
	number: number;
	payload: Payload;
	/** Rows of the payload that live. */
	rows: number[];
	slow: boolean;
}

/**
 * The blocks that a head pays for, in order. Where rows are stored apart, those of offloaded slots lie in slow memory
 * and those that another owns are left out; otherwise a block is whole, in slow memory once all its slots are.
 */
export function storedBlocks(head: HeadStore, which: Which): StoredBlock[] {
	if (head.blocks.size === 0) return [];
	const { columns } = head.slots;
	const [ids, inside] = which === 'K' ? [columns.blockK, columns.inK] : [columns.blockV, columns.inV];
	const numbers = new Map([...new Set(ids.subarray(0, head.length))].filter((id) => id >= 0).sort((a, b) => a - b).map((id, number) => [id, number]));
	const live = new Map<number, number[]>();
	for (const slot of ownSlots(head, which)) {
		if (ids[slot] < 0) continue;
		const slots = live.get(ids[slot]);
		if (slots) slots.push(slot);
		else live.set(ids[slot], [slot]);
	}
	return [...live].sort(([a], [b]) => a - b).flatMap(([id, slots]) => {
		const { payload, codec } = head.blocks.get(id)!;
		const rowsOf = (some: number[]) => some.map((slot) => inside[slot]);
		const away = slots.filter((slot) => isSlow(head, slot));
		if (!codec.keepRows) return [{ number: numbers.get(id)!, payload, rows: rowsOf(slots), slow: away.length === slots.length }];
		return [slots.filter((slot) => !isSlow(head, slot)), away].flatMap((some, slow) => {
			if (some.length === 0) return [];
			const kept = some.length === payload.rows ? payload : codec.keepRows!(payload, rowsOf(some));
			return [{ number: numbers.get(id)!, payload: kept, rows: some.map((_, row) => row), slow: slow === 1 }];
		});
	});
}

/**
 * What says which slots something holds for: nothing where it holds for all or for none, one bit a slot otherwise,
 * and a byte a slot where there are more than two cases (`of`: a number a slot).
 */
export function caseMap(length: number, of: (slot: number) => number): Uint8Array | null {
	const cases = Uint8Array.from({ length }, (_, slot) => of(slot));
	const different = new Set(cases).size;
	if (different < 2) return null;
	if (different > 2) return cases;
	const bits = new Uint8Array(Math.ceil(length / 8));
	for (let i = 0; i < length; i++) if (cases[i] !== cases[0]) bits[i >> 3] |= 1 << (i & 7);
	return bits;
}

/** The maps of a head that say what is offloaded and, by side, whose it is. */
export function placeMaps(head: HeadStore): { what: 'tiers' | 'owners'; which?: Which; array: Uint8Array }[] {
	const maps: ReturnType<typeof placeMaps> = [];
	const put = (array: Uint8Array | null, what: 'tiers' | 'owners', which?: Which) => array && maps.push({ what, array, ...(which ? { which } : {}) });
	put(caseMap(head.length, (slot) => Number(isSlow(head, slot))), 'tiers');
	for (const which of ['K', 'V'] as const) {
		if (head.owners.length > 0) put(caseMap(head.length, (slot) => 1 + head.slots.columns[OWNER[which]][slot]), 'owners', which);
	}
	return maps;
}

/** Bytes of the bitmap of live rows, needed once a block holds dead ones. */
export function deadRowBytes(rows: number, live: number): number {
	return live < rows ? Math.ceil(rows / 8) : 0;
}
