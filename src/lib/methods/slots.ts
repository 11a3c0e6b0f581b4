/** Slot indices move when something is evicted; logical positions do not. Conversions between them. */
import type { LayerCache } from '$lib/cache/types.ts';

/** Slot indices of those `wanted` logical positions that are still present; both ascending. */
export function slotsAt(present: ArrayLike<number>, wanted: ArrayLike<number>): Int32Array {
	const slots: number[] = [];
	let slot = 0;
	for (let i = 0; i < wanted.length; i++) {
		while (slot < present.length && present[slot] < wanted[i]) slot++;
		if (slot < present.length && present[slot] === wanted[i]) slots.push(slot);
	}
	return Int32Array.from(slots);
}

/**
 * Carries one number a slot over to a changed set of slots: numbers of slots that are gone are
 * dropped, new slots begin with `fill`. Both position arrays ascend.
 */
export function realign(
	oldPositions: ArrayLike<number>,
	values: ArrayLike<number>,
	newPositions: ArrayLike<number>,
	fill = 0
): Float64Array {
	const moved = new Float64Array(newPositions.length).fill(fill);
	let old = 0;
	for (let slot = 0; slot < newPositions.length; slot++) {
		while (old < oldPositions.length && oldPositions[old] < newPositions[slot]) old++;
		if (old < oldPositions.length && oldPositions[old] === newPositions[slot]) moved[slot] = values[old];
	}
	return moved;
}

/** Ascending slots from `from` up to, not including, `to`. */
export function range(from: number, to: number): Int32Array {
	return Int32Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
}

/** Rows of a row-major block, in the order of `slots`. */
export function rowsOf(block: Float32Array, slots: ArrayLike<number>, columns: number): Float32Array {
	const rows = new Float32Array(slots.length * columns);
	for (let i = 0; i < slots.length; i++) {
		rows.set(block.subarray(slots[i] * columns, (slots[i] + 1) * columns), i * columns);
	}
	return rows;
}

/** One Uint8 a slot: 1 where any of the masks is set. */
export function union(length: number, ...masks: (ArrayLike<number> | undefined)[]): Uint8Array {
	const any = new Uint8Array(length);
	for (const mask of masks) {
		if (!mask) continue;
		for (let slot = 0; slot < length; slot++) if (mask[slot]) any[slot] = 1;
	}
	return any;
}

/** KV heads of a layer as a list, for loops that read well. */
export function headsOf(layer: LayerCache): number[] {
	return Array.from({ length: layer.kvHeads }, (_, head) => head);
}

/** Query heads that read KV head `head`. */
export function groupOf(head: number, model: { heads: number; kvHeads: number }): number[] {
	const size = model.heads / model.kvHeads;
	return Array.from({ length: size }, (_, i) => head * size + i);
}
