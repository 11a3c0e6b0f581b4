/**
 * The bill: bytes of everything the cache holds, counted from its shape. `pack.ts` builds the
 * arrays themselves, and a test asserts that both agree.
 */
import { BILL_ITEMS, type Bill, type BillItem } from '$lib/documents/trace.ts';
import type { ArmCache } from './arm-cache.ts';
import type { HeadStore } from './head-store.ts';
import { deadRowBytes, hasBias, isRagged, isSlow, isUnbrokenRun, ownSlots, placeMaps, positionBytes, slotMapBytes, slotMapOf, storedBlocks } from './layout.ts';
import { ROLES } from './slot-table.ts';
import type { PackedArray, PackedPart, Which } from './types.ts';

/** Bytes of one exact number: the reference precision is fp16. */
export const EXACT_BYTES = 2;
const WINDOW = ROLES.indexOf('window');

/** Line of the bill on which an exact slot of this role stands. */
export function exactItem(role: number, encodes: boolean): 'payload' | 'window' {
	return encodes && role === WINDOW ? 'window' : 'payload';
}

class Tally {
	items = Object.fromEntries(BILL_ITEMS.map((item) => [item, 0])) as Record<BillItem, number>;
	/** What of `items` lies in slow memory. */
	slow: Partial<Record<BillItem, number>> = {};
	numbers = { K: 0, V: 0 };
	private seen = new Set<PackedArray>();

	add(item: BillItem, bytes: number, which?: Which, slow = false): void {
		this.items[item] += bytes;
		if (slow && bytes > 0) this.slow[item] = (this.slow[item] ?? 0) + bytes;
		if (which && (item === 'payload' || item === 'window')) this.numbers[which] += bytes;
	}

	/** Counts an array once, however many blocks share it. */
	part({ item, array }: PackedPart, which?: Which, slow = false): void {
		if (this.seen.has(array)) return;
		this.seen.add(array);
		this.add(item, array.byteLength, which, slow);
	}

	get slowTotal(): number {
		return Object.values(this.slow).reduce((sum, bytes) => sum + bytes, 0);
	}
}

/** Codebooks stay: other blocks need them. */
export const partIsSlow = (part: PackedPart, blockIsSlow: boolean): boolean => blockIsSlow && part.item !== 'codebooks';

/** Bytes of one head in slow memory. */
export function slowBytes(head: HeadStore): number {
	const tally = new Tally();
	for (const which of ['K', 'V'] as const) addNumbers(tally, head, which, false);
	return tally.slowTotal;
}

function addNumbers(tally: Tally, head: HeadStore, which: Which, encodes: boolean): void {
	const { columns } = head.slots;
	const blocks = columns[which === 'K' ? 'blockK' : 'blockV'];
	for (const slot of ownSlots(head, which)) {
		if (blocks[slot] < 0) tally.add(exactItem(columns.role[slot], encodes), EXACT_BYTES * head.headDim, which, isSlow(head, slot));
	}
	for (const { payload, rows, slow } of storedBlocks(head, which)) {
		for (const part of payload.parts) tally.part(part, which, partIsSlow(part, slow));
		tally.add('indices', deadRowBytes(payload.rows, rows.length));
	}
}

function addHead(tally: Tally, head: HeadStore, encodes: boolean, context: number): void {
	for (const which of ['K', 'V'] as const) {
		addNumbers(tally, head, which, encodes);
		if (head.blocks.size > 0) tally.add('indices', slotMapBytes(slotMapOf(head, which), head.length));
	}
	for (const { array } of placeMaps(head)) tally.add('indices', array.byteLength);
	if (!isUnbrokenRun(head)) tally.add('positions', positionBytes(context) * head.length);
	if (hasBias(head)) tally.add('state', EXACT_BYTES * head.length);
	for (const part of head.summary?.parts ?? []) tally.part(part);
}

/** Bytes of the full fp16 cache of `tokens` tokens. */
export function fullCacheBytes(shape: { layers: number; kvHeads: number; headDim: number }, tokens: number): number {
	return 2 * EXACT_BYTES * tokens * shape.layers * shape.kvHeads * shape.headDim;
}

export function billOf(arm: ArmCache): Bill {
	const tally = new Tally();
	for (const layer of arm.layers) {
		if (isRagged(layer.heads)) tally.add('indices', 4 * (layer.kvHeads + 1));
		for (const head of layer.heads) addHead(tally, head, arm.encodes, arm.shape.context);
		for (const parts of layer.held.values()) for (const part of parts) tally.part(part);
	}
	const total = BILL_ITEMS.reduce((sum, item) => sum + tally.items[item], 0);
	const full = fullCacheBytes(arm.shape, arm.tokens);
	return {
		total,
		// What is only hidden stays in fast memory: it may be shown at any step.
		fast: total - tally.slowTotal,
		items: tally.items,
		...(tally.slowTotal > 0 ? { slow: tally.slow } : {}),
		ratio: full / total,
		bitsPerNumber: (8 * total * EXACT_BYTES) / full,
		payloadK: tally.numbers.K,
		payloadV: tally.numbers.V
	};
}
