/**
 * One head's K or V on a plane: columns are slots in position order, rows are channels. What is
 * visible of it, the extent of its numbers and of the error, and where groups meet. Pure.
 */
import type { MatrixProbe } from '$lib/documents/trace.ts';

/** Slots [from, to) of the matrix. */
export interface Slots {
	from: number;
	to: number;
}

/** All slots if cells can be `least` px wide, else as many as fit round slot `center`. */
export function visibleSlots(probe: MatrixProbe, plot: number, center: number, least: number): Slots {
	const n = probe.positions.length;
	const fit = Math.max(8, Math.floor(plot / least));
	if (n <= fit) return { from: 0, to: n };
	const from = Math.max(0, Math.min(n - fit, center - (fit >> 1)));
	return { from, to: from + fit };
}

/** The slot that holds `position`, or the nearest earlier one; 0 for a cache that starts later. */
export function slotOf(probe: MatrixProbe, position: number): number {
	let low = 0;
	let high = probe.positions.length - 1;
	while (low < high) {
		const middle = (low + high + 1) >> 1;
		if (probe.positions[middle] <= position) low = middle;
		else high = middle - 1;
	}
	return Math.max(0, low);
}

export interface Extent {
	/** Largest absolute number of original and rebuilt: the shared scale. */
	value: number;
	/** Largest absolute error: its own scale. */
	error: number;
	/** By channel: largest absolute original number, and root mean square error of encoded rows. */
	largest: Float32Array;
	rms: Float32Array;
}

export function extent(probe: MatrixProbe): Extent {
	const { channels, original, rebuilt } = probe;
	const out: Extent = { value: 0, error: 0, largest: new Float32Array(channels), rms: new Float32Array(channels) };
	const squares = new Float64Array(channels);
	let rows = 0;
	for (let r = 0; r < probe.positions.length; r++) {
		if (probe.encoded[r]) rows++;
		for (let c = 0; c < channels; c++) {
			const i = r * channels + c;
			const error = rebuilt[i] - original[i];
			out.value = Math.max(out.value, Math.abs(original[i]), Math.abs(rebuilt[i]));
			out.error = Math.max(out.error, Math.abs(error));
			out.largest[c] = Math.max(out.largest[c], Math.abs(original[i]));
			squares[c] += error * error;
		}
	}
	for (let c = 0; c < channels; c++) out.rms[c] = Math.sqrt(squares[c] / Math.max(1, rows));
	return out;
}

export interface Loudest {
	channel: number;
	/** How many times as far as the middle channel it reaches. */
	ratio: number;
}

/** The channel with the largest number, compared with the median channel. */
export function loudest(range: Extent): Loudest {
	const order = [...range.largest.keys()].sort((a, b) => range.largest[b] - range.largest[a]);
	const middle = range.largest[order[order.length >> 1]];
	return { channel: order[0], ratio: middle > 0 ? range.largest[order[0]] / middle : 1 };
}

/** Seams between groups inside the visible slots, where a gap can be drawn without hiding cells. */
export function seams(probe: MatrixProbe, slots: Slots, cellWidth: number, cellHeight: number, least = 7): { columns: number[]; rows: number[] } {
	const columns = new Set<number>();
	const rows = new Set<number>();
	for (const g of probe.groups) {
		if ((g.tokenTo - g.tokenFrom) * cellWidth >= least) for (const at of [g.tokenFrom, g.tokenTo]) if (at > slots.from && at < slots.to) columns.add(at);
		if ((g.channelTo - g.channelFrom) * cellHeight >= least) for (const at of [g.channelFrom, g.channelTo]) if (at > 0 && at < probe.channels) rows.add(at);
	}
	const ascending = (s: Set<number>) => [...s].sort((a, b) => a - b);
	return { columns: ascending(columns), rows: ascending(rows) };
}

export const PLANES = ['original', 'rebuilt', 'error'] as const;
export type PlaneId = (typeof PLANES)[number];

/** Where a plane stands, in px: numbers of the channels, the plot, bars of the channels. */
export interface PlaneLayout {
	gutter: number;
	/** 0 on a narrow page: then there are no bars. */
	margin: number;
	plot: number;
	rowHeight: number;
	slots: Slots;
	cell: number;
	cuts: { columns: number[]; rows: number[] };
}

/** Lays a plane out in `width` px with slot `anchor` in sight. */
export function planeLayout(probe: MatrixProbe, width: number, anchor: number, scale = 1): PlaneLayout {
	const narrow = width < 520;
	const gutter = (narrow ? 30 : 52) * scale;
	const margin = narrow ? 0 : 74 * scale;
	const plot = Math.max(60, width - gutter - margin);
	const rowHeight = Math.max(3, Math.min(9, Math.round(168 / probe.channels))) * scale;
	const slots = visibleSlots(probe, plot, anchor, narrow ? 3 : 4);
	const cell = plot / (slots.to - slots.from);
	return { gutter, margin, plot, rowHeight, slots, cell, cuts: seams(probe, slots, cell, rowHeight) };
}

/** Slots that carry a number on the ruler, every eight at least 54 px apart, clear of the one looked at. */
export function slotTicks({ slots, cell }: PlaneLayout, looked: number): { slot: number; x: number }[] {
	const every = Math.max(1, Math.ceil(54 / cell / 8) * 8);
	const out: { slot: number; x: number }[] = [];
	for (let slot = Math.ceil(slots.from / every) * every; slot < slots.to; slot += every) {
		if (Math.abs(slot - looked) * cell > 48) out.push({ slot, x: (slot - slots.from + 0.5) * cell });
	}
	return out;
}
