/** Numbers of a group among the levels of its ruler, and how they would fare under another one. Pure. */
import type { GroupBox, MatrixProbe } from '$lib/documents/trace.ts';
import { crossGroup, eachCell } from './groups.ts';

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
