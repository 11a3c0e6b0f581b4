/**
 * Quantization of one head's K or V: the numbers, the rebuilt numbers and the error on one plane
 * (columns are slots in position order, rows are channels), the groups that share a ruler, and the
 * selected group's numbers among its levels.
 */
import type { GroupBox, MatrixProbe } from '$lib/documents/trace.ts';

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

/** The group that holds a cell, or null for a cell that is still exact. */
export function groupAt(probe: MatrixProbe, slot: number, channel: number): GroupBox | null {
	return probe.groups.find((g) => slot >= g.tokenFrom && slot < g.tokenTo && channel >= g.channelFrom && channel < g.channelTo) ?? null;
}

/** The group that hurts most: largest squared error; null when there are no groups. */
export function worstGroup(probe: MatrixProbe): GroupBox | null {
	let worst: GroupBox | null = null;
	let most = -1;
	for (const group of probe.groups) {
		let sum = 0;
		eachCell(probe, group, (i) => (sum += (probe.rebuilt[i] - probe.original[i]) ** 2));
		if (sum > most) [worst, most] = [group, sum];
	}
	return worst;
}

function eachCell(probe: MatrixProbe, box: Pick<GroupBox, 'tokenFrom' | 'tokenTo' | 'channelFrom' | 'channelTo'>, visit: (index: number) => void): void {
	for (let r = box.tokenFrom; r < box.tokenTo; r++) for (let c = box.channelFrom; c < box.channelTo; c++) visit(r * probe.channels + c);
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

export interface Level {
	value: number;
	/** Bits of the code, e.g. "01"; empty where there are more than 8 levels. */
	code: string;
	/** The cell of values that this code stands for, cut to the axis. */
	from: number;
	to: number;
}

export interface Histogram {
	values: number[];
	levels: Level[];
	/** Distance between codes; undefined for a codec without a uniform ruler. */
	step?: number;
	domain: [number, number];
	/** Counts in equal bins over `domain`. */
	bins: number[];
	most: number;
	/** Mean squared error of these numbers under these levels, relative to their mean square. */
	relativeMse: number;
}

/** Numbers of one group among the levels of its ruler. */
export function groupHistogram(probe: MatrixProbe, group: GroupBox, bins = 48): Histogram {
	const values: number[] = [];
	const rebuilt: number[] = [];
	eachCell(probe, group, (i) => {
		values.push(probe.original[i]);
		rebuilt.push(probe.rebuilt[i]);
	});
	const uniform = group.lo !== undefined && group.step !== undefined ? { lo: group.lo, step: group.step } : null;
	return histogram(values, uniform, 2 ** group.bits, bins, error(values, rebuilt));
}

/** The same bits along the other direction: one position's channels, or one channel's positions. */
export function crossGroup(probe: MatrixProbe, group: GroupBox, slot: number, channel: number): GroupBox {
	const acrossChannels = group.tokenTo - group.tokenFrom > group.channelTo - group.channelFrom;
	const size = (group.tokenTo - group.tokenFrom) * (group.channelTo - group.channelFrom);
	if (acrossChannels) {
		const width = Math.min(size, probe.channels);
		const from = Math.floor(channel / width) * width;
		return { tokenFrom: slot, tokenTo: slot + 1, channelFrom: from, channelTo: Math.min(probe.channels, from + width), bits: group.bits };
	}
	const from = Math.floor(slot / size) * size;
	return { tokenFrom: from, tokenTo: Math.min(probe.positions.length, from + size), channelFrom: channel, channelTo: channel + 1, bits: group.bits };
}

/** A group under a ruler from its smallest to its largest number (asymmetric min-max). */
export function minMaxHistogram(probe: MatrixProbe, group: GroupBox, bins = 48): Histogram {
	const values: number[] = [];
	eachCell(probe, group, (i) => values.push(probe.original[i]));
	const { lo, step } = minMax(values, group.bits);
	return histogram(values, { lo, step }, 2 ** group.bits, bins, error(values, values.map((v) => roundTo(v, lo, step, group.bits))));
}

function minMax(values: number[], bits: number): { lo: number; step: number } {
	const lo = Math.min(...values);
	return { lo, step: (Math.max(...values) - lo) / (2 ** bits - 1) };
}

function roundTo(value: number, lo: number, step: number, bits: number): number {
	if (step === 0) return lo;
	return lo + Math.max(0, Math.min(2 ** bits - 1, Math.round((value - lo) / step))) * step;
}

function error(values: number[], rebuilt: number[]): number {
	let wrong = 0;
	let all = 0;
	values.forEach((v, i) => {
		wrong += (rebuilt[i] - v) ** 2;
		all += v * v;
	});
	return all === 0 ? 0 : wrong / all;
}

function histogram(values: number[], ruler: { lo: number; step: number } | null, count: number, bins: number, relativeMse: number): Histogram {
	const points = ruler ? Array.from({ length: count }, (_, k) => ruler.lo + k * ruler.step) : [];
	const low = Math.min(...values, ...points);
	const high = Math.max(...values, ...points);
	const pad = (high - low || 1) * 0.06;
	const domain: [number, number] = [low - pad, high + pad];
	const out = Array<number>(bins).fill(0);
	for (const v of values) out[Math.min(bins - 1, Math.floor(((v - domain[0]) / (domain[1] - domain[0])) * bins))]++;
	const width = Math.log2(count);
	return {
		values, domain, bins: out, most: Math.max(...out), relativeMse,
		...(ruler ? { step: ruler.step } : {}),
		levels: points.map((value, k) => ({
			value,
			code: count <= 8 ? k.toString(2).padStart(width, '0') : '',
			from: k === 0 ? domain[0] : value - ruler!.step / 2,
			to: k === count - 1 ? domain[1] : value + ruler!.step / 2
		}))
	};
}

/**
 * Relative squared error of the encoded rows if the same bits and group size ran the other way
 * (per token instead of per channel, or the reverse), computed from the exact numbers; null
 * without groups to turn.
 */
export function otherWay(probe: MatrixProbe): number | null {
	const first = probe.groups[0];
	if (!first || first.bits > 8) return null;
	const from = Math.min(...probe.groups.map((g) => g.tokenFrom));
	const to = Math.max(...probe.groups.map((g) => g.tokenTo));
	let wrong = 0;
	let all = 0;
	const seen = new Set<string>();
	for (let slot = from; slot < to; slot++) {
		if (!probe.encoded[slot]) continue;
		for (let channel = 0; channel < probe.channels; channel++) {
			const box = crossGroup(probe, first, slot, channel);
			const key = `${box.tokenFrom}:${box.channelFrom}`;
			if (seen.has(key)) continue;
			seen.add(key);
			const values: number[] = [];
			eachCell(probe, { ...box, tokenFrom: Math.max(from, box.tokenFrom), tokenTo: Math.min(to, box.tokenTo) }, (i) => values.push(probe.original[i]));
			const { lo, step } = minMax(values, first.bits);
			for (const v of values) {
				wrong += (roundTo(v, lo, step, first.bits) - v) ** 2;
				all += v * v;
			}
		}
	}
	return all === 0 ? null : wrong / all;
}
