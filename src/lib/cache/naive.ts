/**
 * The cache once more, as simply as can be, for tests: plain slots in plain arrays, bytes counted
 * straight from the rules.
 */
import type { BillItem } from '$lib/documents/trace.ts';
import type { Codec, Which } from './types.ts';

export interface NaiveBlock {
	codec: Codec;
	/** Bytes by item of the block as written. */
	bytes: Partial<Record<BillItem, number>>;
	rows: number;
}

export interface NaiveSlot {
	position: number;
	K: Float32Array;
	V: Float32Array;
	blockK: NaiveBlock | null;
	blockV: NaiveBlock | null;
	window: boolean;
	hidden: boolean;
	bias: number;
}

export type NaiveHead = NaiveSlot[];

const ITEMS = ['payload', 'scales', 'zeros', 'codebooks', 'indices', 'positions', 'window', 'state'] as const;

/** Encodes rows alone, so that blocks and the store's numbers can be compared. */
export function naiveEncode(head: NaiveHead, which: Which, slots: number[], codec: Codec): void {
	const d = head[0].K.length;
	const numbers = new Float32Array(slots.length * d);
	slots.forEach((slot, i) => numbers.set(head[slot][which], i * d));
	const payload = codec.encode(numbers, slots.length, d);
	const decoded = codec.decode(payload);
	const block: NaiveBlock = { codec, rows: slots.length, bytes: {} };
	for (const { item, array } of payload.parts) block.bytes[item] = (block.bytes[item] ?? 0) + array.byteLength;
	slots.forEach((slot, i) => {
		head[slot][which] = decoded.slice(i * d, (i + 1) * d);
		head[slot][which === 'K' ? 'blockK' : 'blockV'] = block;
	});
}

/** Bytes by item of all heads of all layers, from the rules. */
export function naiveBill(layers: NaiveHead[][], encodes: boolean): Record<BillItem, number> {
	const bill = Object.fromEntries(ITEMS.map((item) => [item, 0])) as Record<BillItem, number>;
	for (const heads of layers) {
		if (new Set(heads.map((head) => head.length)).size > 1) bill.indices += 4 * (heads.length + 1);
		for (const head of heads) addHead(bill, head, encodes);
	}
	return bill;
}

function addHead(bill: Record<BillItem, number>, head: NaiveHead, encodes: boolean): void {
	for (const side of ['blockK', 'blockV'] as const) {
		const live = new Map<NaiveBlock, number>();
		for (const slot of head) {
			const block = slot[side];
			if (block) live.set(block, (live.get(block) ?? 0) + 1);
			else bill[encodes && slot.window ? 'window' : 'payload'] += 2 * slot.K.length;
		}
		for (const [block, rows] of live) {
			const share = block.codec.keepRows ? rows / block.rows : 1;
			for (const [item, bytes] of Object.entries(block.bytes)) bill[item as BillItem] += bytes * share;
			if (share === 1 && rows < block.rows) bill.indices += Math.ceil(block.rows / 8);
		}
		bill.indices += mapBytes(head.map((slot) => slot[side]), [...live.keys()]);
	}
	if (head.some((slot, i) => slot.position !== i)) bill.positions += 2 * head.length;
	if (head.some((slot) => slot.bias !== 0)) bill.state += 2 * head.length;
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
