/** What the quantizers share: which slots are still exact, and marking them as the exact window. */
import type { Codec, LayerCache, Which } from '$lib/cache/types.ts';
import { slotsWhere } from '../select.ts';
import { headsOf, slotsAt, union } from '../slots.ts';

/** Slots of a head whose keys (or values) are still exact, ascending; those in slow memory cannot be encoded. */
export function exactSlots(layer: LayerCache, head: number, which: Which): Int32Array {
	const away = layer.offloaded(head);
	return slotsWhere(layer.exact(head, which).map((exact, slot) => exact & (1 - away[slot])));
}

/** Bytes of a block of so many rows, counted in the arrays that the codec writes. */
export function codedBytes(codec: Codec, rows: number, columns: number): number {
	return codec.encode(new Float32Array(rows * columns), rows, columns).parts.reduce((sum, { array }) => sum + array.byteLength, 0);
}

/**
 * Keeps the marks of one method's exact tail right: slots that entered it are marked `window`,
 * slots that left it (encoded on all of `sides`) lose the mark again.
 */
export class TailMarks {
	private readonly marked = new Map<string, Int32Array>();

	constructor(private readonly sides: readonly Which[]) {}

	update(layer: LayerCache): void {
		for (const head of headsOf(layer)) {
			const positions = layer.positions(head);
			const inTail = union(positions.length, ...this.sides.map((which) => layer.exact(head, which)));
			const name = `${layer.layer}/${head}`;
			const before = slotsAt(positions, this.marked.get(name) ?? []);
			const tail = slotsWhere(inTail);
			const known = new Uint8Array(positions.length);
			for (const slot of before) known[slot] = 1;
			const left = before.filter((slot) => !inTail[slot]);
			const entered = tail.filter((slot) => !known[slot]);
			if (left.length) layer.mark(head, left, 'none');
			if (entered.length) layer.mark(head, entered, 'window');
			this.marked.set(name, Int32Array.from(tail, (slot) => positions[slot]));
		}
	}
}

/** Splits the first slots of a list into whole blocks of `size`; what does not fill one is left out. */
export function wholeBlocks(slots: Int32Array, size: number, count = Math.floor(slots.length / size)): Int32Array[] {
	return Array.from({ length: count }, (_, i) => slots.subarray(i * size, (i + 1) * size));
}

