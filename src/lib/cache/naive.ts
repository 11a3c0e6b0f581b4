/**
 * The cache once more, as simply as can be, for tests: plain slots in plain arrays, bytes counted
 * straight from the rules.
 */
import type { BillItem } from '$lib/documents/trace.ts';
import type { Codec, Payload, Which } from './types.ts';

export interface NaiveBlock {
	codec: Codec;
	/** As written: what is dropped from it later is not cut out. */
	payload: Payload;
	/** The slots' own arrays, by row. */
	numbers: Float32Array[];
}

export interface NaiveSlot {
	position: number;
	/** Slots that share have the same array. */
	K: Float32Array;
	V: Float32Array;
	blockK: NaiveBlock | null;
	blockV: NaiveBlock | null;
	window: boolean;
	hidden: boolean;
	bias: number;
	slow?: boolean;
	/** Whose array K or V is; no more so once that slot is gone or has another array. */
	fromK?: NaiveSlot;
	fromV?: NaiveSlot;
}

export type NaiveHead = NaiveSlot[];

const ITEMS = ['payload', 'scales', 'zeros', 'codebooks', 'indices', 'positions', 'window', 'state'] as const;
const SIDES = { K: { block: 'blockK', from: 'fromK' }, V: { block: 'blockV', from: 'fromV' } } as const;

/** Encodes rows alone, so that blocks and the store's numbers can be compared. */
export function naiveEncode(head: NaiveHead, which: Which, slots: number[], codec: Codec): void {
	const d = head[0].K.length;
	const numbers = new Float32Array(slots.length * d);
	slots.forEach((slot, i) => numbers.set(head[slot][which], i * d));
	const payload = codec.encode(numbers, slots.length, d);
	const decoded = codec.decode(payload);
	const block: NaiveBlock = { codec, payload, numbers: slots.map((_, i) => decoded.slice(i * d, (i + 1) * d)) };
	slots.forEach((slot, i) => {
		head[slot][which] = block.numbers[i];
		head[slot][SIDES[which].block] = block;
	});
}

/** Flips a bit of a number: of its float32 where it is exact, of its code otherwise (codes stand row by row, rows on whole bytes). */
export function naiveFlip(slot: NaiveSlot, which: Which, channel: number, bit: number): void {
	const block = slot[SIDES[which].block];
	if (!block) {
		const view = new DataView(slot[which].buffer, slot[which].byteOffset);
		view.setUint32(4 * channel, view.getUint32(4 * channel, true) ^ (1 << bit), true);
		return;
	}
	const d = slot.K.length;
	const [stride, at] = [Math.ceil((d * block.codec.bits) / 8), channel * block.codec.bits + bit];
	(block.payload.parts[0].array as Uint8Array)[stride * block.numbers.indexOf(slot[which]) + (at >> 3)] ^= 1 << (at & 7);
	const decoded = block.codec.decode(block.payload);
	block.numbers.forEach((numbers, row) => numbers.set(decoded.subarray(row * d, (row + 1) * d)));
}

/** The slot that pays for K or V of a slot. */
export function naiveOwner(layers: NaiveHead[][], slot: NaiveSlot, which: Which): NaiveSlot {
	const from = slot[SIDES[which].from];
	return from && from[which] === slot[which] && layers.some((heads) => heads.some((head) => head.includes(from))) ? from : slot;
}

/** Bytes by item of all heads of all layers, from the rules: all, and those in slow memory. */
export function naiveBill(layers: NaiveHead[][], encodes: boolean): { all: Record<BillItem, number>; slow: Record<BillItem, number> } {
	const [all, slow] = [0, 1].map(() => Object.fromEntries(ITEMS.map((item) => [item, 0])) as Record<BillItem, number>);
	const add = (item: BillItem, bytes: number, away = false) => {
		all[item] += bytes;
		if (away) slow[item] += bytes;
	};
	for (const heads of layers) {
		if (new Set(heads.map((head) => head.length)).size > 1) add('indices', 4 * (heads.length + 1));
		for (const head of heads) addHead(add, head, encodes, layers);
	}
	return { all, slow };
}

function addHead(add: (item: BillItem, bytes: number, away?: boolean) => void, head: NaiveHead, encodes: boolean, layers: NaiveHead[][]): void {
	const cases = <T>(of: (slot: NaiveSlot) => T) => {
		const { size } = new Set(head.map(of));
		add('indices', size < 2 ? 0 : size === 2 ? Math.ceil(head.length / 8) : head.length);
	};
	cases((slot) => Boolean(slot.slow));
	for (const which of ['K', 'V'] as const) {
		const side = SIDES[which].block;
		const owners = new Map(head.map((slot) => [slot, naiveOwner(layers, slot, which)]));
		cases((slot) => layers.flat().find((other) => other.includes(owners.get(slot)!)));
		const live = new Map<NaiveBlock, NaiveSlot[]>();
		for (const slot of head) {
			const block = slot[side];
			if (block) live.set(block, [...(live.get(block) ?? []), slot]);
			else if (owners.get(slot) === slot) add(encodes && slot.window ? 'window' : 'payload', 2 * slot.K.length, slot.slow);
		}
		for (const [{ codec, payload, numbers }, slots] of live) {
			for (const { item, array } of payload.parts) {
				if (codec.keepRows) for (const slot of slots) add(item, array.byteLength / numbers.length, slot.slow);
				else add(item, array.byteLength, slots.every((slot) => slot.slow));
			}
			if (!codec.keepRows && slots.length < numbers.length) add('indices', Math.ceil(numbers.length / 8));
		}
		add('indices', mapBytes(head.map((slot) => slot[side]), [...live.keys()]));
	}
	if (head.some((slot, i) => slot.position !== i)) add('positions', 2 * head.length);
	if (head.some((slot) => slot.bias !== 0)) add('state', 2 * head.length);
}

/** The slots of encoded blocks: one run in writing order needs no map, gaps a bit, disorder two bytes a slot. */
function mapBytes(blocks: (NaiveBlock | null)[], inOrder: NaiveBlock[]): number {
	const encoded = blocks.filter((block) => block !== null);
	const written = [...inOrder].sort((a, b) => order.get(a)! - order.get(b)!);
	const sorted = written.flatMap((block) => encoded.filter((other) => other === block));
	if (encoded.some((block, i) => block !== sorted[i])) return 2 * blocks.length;
	const [first, last] = [blocks.findIndex(Boolean), blocks.findLastIndex(Boolean)];
	return encoded.length > 0 && last - first + 1 > encoded.length ? Math.ceil(blocks.length / 8) : 0;
}

/** When each block was written; the test fills it in. */
export const order = new WeakMap<NaiveBlock, number>();
