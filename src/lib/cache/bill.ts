/**
 * The bill: bytes of everything the cache holds, counted from its shape. `pack.ts` builds the
 * arrays themselves, and a test asserts that both agree.
 */
import { BILL_ITEMS, type Bill, type BillItem } from '$lib/documents/trace.ts';
import type { ArmCache } from './arm-cache.ts';
import type { HeadStore } from './head-store.ts';
import { deadRowBytes, hasBias, isRagged, isUnbrokenRun, liveRows, positionBytes, slotMapBytes, slotMapOf } from './layout.ts';
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
	numbers = { K: 0, V: 0 };
	private seen = new Set<PackedArray>();

	add(item: BillItem, bytes: number, which?: Which): void {
		this.items[item] += bytes;
		if (which && (item === 'payload' || item === 'window')) this.numbers[which] += bytes;
	}

	/** Counts an array once, however many blocks share it. */
	part({ item, array }: PackedPart, which?: Which): void {
		if (this.seen.has(array)) return;
		this.seen.add(array);
		this.add(item, array.byteLength, which);
	}
}

function addHead(tally: Tally, head: HeadStore, encodes: boolean, context: number): void {
	const { columns } = head.slots;
	for (const which of ['K', 'V'] as const) {
		const blocks = columns[which === 'K' ? 'blockK' : 'blockV'];
		const exact = { payload: 0, window: 0 };
		for (let slot = 0; slot < head.length; slot++) {
			if (blocks[slot] < 0) exact[exactItem(columns.role[slot], encodes)]++;
		}
		for (const item of ['payload', 'window'] as const) tally.add(item, EXACT_BYTES * head.headDim * exact[item], which);
		if (head.blocks.size === 0) continue;
		for (const { block, rows } of liveRows(head, which)) {
			for (const part of block.payload.parts) tally.part(part, which);
			tally.add('indices', deadRowBytes(block.payload.rows, rows.length));
		}
		tally.add('indices', slotMapBytes(slotMapOf(head, which), head.length));
	}
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
		// Nothing is kept in slow memory yet: hidden slots may be shown at any step.
		fast: total,
		items: tally.items,
		ratio: full / total,
		bitsPerNumber: (8 * total * EXACT_BYTES) / full,
		payloadK: tally.numbers.K,
		payloadV: tally.numbers.V
	};
}
