/** The whole cache as the arrays that would be stored or sent, and back. */
import { fromHalf, toHalf } from '$lib/numerics/half.ts';
import type { ArmCache } from './arm-cache.ts';
import { exactItem, partIsSlow } from './bill.ts';
import type { HeadStore } from './head-store.ts';
import { deadRowBytes, hasBias, isRagged, isSlow, isUnbrokenRun, ownSlots, placeMaps, positionBytes, slotMapOf, storedBlocks } from './layout.ts';
import type { PackedArray, PackedPart, Which } from './types.ts';

/** A part with the words that say what it is. */
export interface LabelledPart extends PackedPart {
	layer: number;
	/** -1 for what belongs to the layer as a whole. */
	head: number;
	what: 'exact' | 'block' | 'map' | 'live' | 'tiers' | 'owners' | 'positions' | 'offsets' | 'bias' | 'summary' | 'state';
	which?: Which;
	/** Number of the block within head and side. */
	block?: number;
	/** Lies in slow memory. */
	slow?: true;
}

const SLOW = { slow: true } as const;

type Put = (part: LabelledPart) => void;

function exactNumbers(head: HeadStore, which: Which, slots: number[]): Uint16Array {
	const out = new Uint16Array(slots.length * head.headDim);
	slots.forEach((slot, i) => out.set(toHalf(head.numbers(slot, which)), i * head.headDim));
	return out;
}

function bitmap(length: number, isSet: (i: number) => boolean): Uint8Array {
	const bits = new Uint8Array(Math.ceil(length / 8));
	for (let i = 0; i < length; i++) if (isSet(i)) bits[i >> 3] |= 1 << (i & 7);
	return bits;
}

/** Which block each slot lies in, where order alone does not tell. */
function slotMap(head: HeadStore, which: Which): PackedArray | null {
	const kind = slotMapOf(head, which);
	if (kind === 'none') return null;
	if (kind === 'bitmap') return bitmap(head.length, (slot) => !head.isExact(slot, which));
	const ids = head.slots.columns[which === 'K' ? 'blockK' : 'blockV'].subarray(0, head.length);
	const order = [...new Set(ids)].filter((id) => id >= 0).sort((a, b) => a - b);
	return Uint16Array.from(ids, (id) => 1 + order.indexOf(id));
}

function packSide(head: HeadStore, which: Which, encodes: boolean, label: { layer: number; head: number }, put: Put): void {
	const slots = ownSlots(head, which).filter((slot) => head.isExact(slot, which));
	const itemOf = (slot: number) => exactItem(head.slots.columns.role[slot], encodes);
	for (const slow of [false, true]) {
		for (const item of ['payload', 'window'] as const) {
			const those = slots.filter((slot) => itemOf(slot) === item && isSlow(head, slot) === slow);
			if (those.length) put({ ...label, what: 'exact', which, item, array: exactNumbers(head, which, those), ...(slow ? SLOW : {}) });
		}
	}
	for (const { number, payload, rows, slow } of storedBlocks(head, which)) {
		for (const part of payload.parts) put({ ...label, ...part, what: 'block', which, block: number, ...(partIsSlow(part, slow) ? SLOW : {}) });
		if (deadRowBytes(payload.rows, rows.length) > 0) {
			const live = new Set(rows);
			put({ ...label, what: 'live', which, block: number, item: 'indices', array: bitmap(payload.rows, (row) => live.has(row)) });
		}
	}
	const map = slotMap(head, which);
	if (map) put({ ...label, what: 'map', which, item: 'indices', array: map });
}

/** Every array of the packed cache, shared ones once. */
export function packLayers(arm: ArmCache): LabelledPart[] {
	const parts: LabelledPart[] = [];
	const seen = new Set<PackedArray>();
	const put: Put = (part) => {
		if (seen.has(part.array)) return;
		seen.add(part.array);
		parts.push(part);
	};
	const Positions = positionBytes(arm.shape.context) === 4 ? Uint32Array : Uint16Array;
	for (const layer of arm.layers) {
		if (isRagged(layer.heads)) {
			const offsets = new Uint32Array(layer.kvHeads + 1);
			layer.heads.forEach((head, i) => (offsets[i + 1] = offsets[i] + head.length));
			put({ layer: layer.layer, head: -1, what: 'offsets', item: 'indices', array: offsets });
		}
		layer.heads.forEach((head, index) => {
			const label = { layer: layer.layer, head: index };
			packSide(head, 'K', arm.encodes, label, put);
			packSide(head, 'V', arm.encodes, label, put);
			for (const map of placeMaps(head)) put({ ...label, ...map, item: 'indices' });
			if (!isUnbrokenRun(head)) put({ ...label, what: 'positions', item: 'positions', array: Positions.from(head.slots.copy('position')) });
			if (hasBias(head)) put({ ...label, what: 'bias', item: 'state', array: toHalf(head.slots.copy('bias')) });
			for (const part of head.summary?.parts ?? []) put({ ...label, ...part, what: 'summary' });
		});
		for (const held of layer.held.values()) {
			for (const part of held) put({ layer: layer.layer, head: -1, ...part, what: 'state' });
		}
	}
	return parts;
}

/** Exact numbers of a packed part, as a reader of it would get them. */
export function unpackExact(part: LabelledPart): Float32Array {
	if (part.what !== 'exact' || !(part.array instanceof Uint16Array)) throw new RangeError('only exact parts hold plain halves');
	return fromHalf(part.array);
}
