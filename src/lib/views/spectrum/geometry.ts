/**
 * The spectrum of one head's keys (before and after rotation) and values: how many directions
 * carry the energy. Energy is the sum of squared singular values.
 */
import type { ModelShape, SpectrumProbe } from '$lib/documents/trace.ts';
import type { AxisTick } from '$lib/ui/ruler.ts';
import { words } from '$lib/ui/words/index.ts';

export type SeriesId = 'keyBefore' | 'keyAfter' | 'value';
export type MarkShape = 'square' | 'disc' | 'triangle';

export const SERIES: { id: SeriesId; name: string; shape: MarkShape; dash: string; color: string }[] = [
	{ id: 'keyBefore', name: words.spectrum.series.keyBefore, shape: 'square', dash: '', color: 'var(--st-kept)' },
	{ id: 'keyAfter', name: words.spectrum.series.keyAfter, shape: 'disc', dash: '8 3', color: 'var(--st-b4)' },
	{ id: 'value', name: words.spectrum.series.value, shape: 'triangle', dash: '2 3', color: 'var(--st-merged)' }
];

/** Share of the energy that the first `rank` singular values hold; 1 for an all-zero spectrum. */
export function energyKept(singular: ArrayLike<number>, rank: number): number {
	let kept = 0;
	let total = 0;
	for (let i = 0; i < singular.length; i++) {
		const energy = singular[i] * singular[i];
		total += energy;
		if (i < rank) kept += energy;
	}
	return total === 0 ? 1 : kept / total;
}

/** Smallest rank whose energy reaches `share`. */
export function rankFor(singular: ArrayLike<number>, share: number): number {
	for (let rank = 0; rank <= singular.length; rank++) if (energyKept(singular, rank) >= share) return rank;
	return singular.length;
}

/** The rank that the arm keeps of a series, if it projects that series. */
export function armRank(probe: SpectrumProbe, id: SeriesId): number | undefined {
	if (id === 'value') return probe.rankV;
	const place = probe.place ?? 'after';
	return (id === 'keyBefore') === (place === 'before') ? probe.rankK : undefined;
}

export interface SpectrumMark {
	index: number;
	x: number;
	y: number;
	value: number;
	/** Drawn hollow: beyond the rank. */
	hollow: boolean;
}

export interface SpectrumSeries {
	id: SeriesId;
	name: string;
	shape: MarkShape;
	dash: string;
	color: string;
	path: string;
	marks: SpectrumMark[];
	rank: number;
	/** Share of energy in the first `rank` directions. */
	energy: number;
	labelY: number;
}

export interface SpectrumLayout {
	width: number;
	height: number;
	left: number;
	right: number;
	top: number;
	bottom: number;
	directions: number;
	series: SpectrumSeries[];
	ticks: { y: number; value: number }[];
	rankTicks: AxisTick[];
	rankX(rank: number): number;
	rankAt(x: number): number;
}

/** Log singular values over their index; `rank` is the handle's, and an arm's own rank wins for its series. */
export function spectrumLayout(probe: SpectrumProbe, rank: number, width: number, scale = 1): SpectrumLayout {
	const directions = probe.keyAfter.length;
	const left = Math.round(46 * scale);
	const right = width - Math.round((width < 420 ? 20 : 112) * scale);
	const top = Math.round(22 * scale);
	const bottom = Math.round((width < 420 ? 230 : 290) * scale);
	const values = SERIES.flatMap(({ id }) => [...probe[id]]).filter((v) => v > 0);
	const high = Math.log10(Math.max(...values, 1e-6)) + 0.08;
	// Singular values that are numerically nothing would stretch the axis; three decades and a half show the fall.
	const low = Math.max(Math.log10(Math.min(...values, 10 ** high)) - 0.08, high - 3.5);
	const y = (v: number) => bottom - ((Math.log10(Math.max(v, 10 ** low)) - low) / (high - low || 1)) * (bottom - top);
	const rankX = (r: number) => left + ((right - left) * r) / directions;
	const series = SERIES.map(({ id, ...look }): SpectrumSeries => {
		const own = armRank(probe, id) ?? rank;
		const marks = [...probe[id]].map((value, index) => ({ index, value, x: rankX(index + 0.5), y: y(value), hollow: index >= own }));
		return {
			id, ...look, marks, rank: own,
			path: marks.map((m, i) => `${i ? 'L' : 'M'}${m.x.toFixed(1)} ${m.y.toFixed(1)}`).join(''),
			energy: energyKept(probe[id], own),
			labelY: marks.at(-1)?.y ?? bottom
		};
	});
	spread(series, Math.round(17 * scale));
	const ticks: { y: number; value: number }[] = [];
	for (let decade = Math.ceil(low); decade <= Math.floor(high); decade++) ticks.push({ y: y(10 ** decade), value: 10 ** decade });
	const major = directions <= 32 ? 8 : 16;
	return {
		width, height: bottom + Math.round(48 * scale), left, right, top, bottom, directions, series, ticks,
		rankTicks: Array.from({ length: directions + 1 }, (_, value): AxisTick =>
			value % major === 0 ? { value, x: rankX(value), rank: 2, text: `${value}` } : { value, x: rankX(value), rank: 0 }),
		rankX,
		rankAt: (x) => Math.max(0, Math.min(directions, Math.round(((x - left) / (right - left)) * directions)))
	};
}

/** Moves the labels at the lines' ends apart, top to bottom, so that none covers another. */
function spread(series: SpectrumSeries[], least: number): void {
	const order = [...series].sort((a, b) => a.labelY - b.labelY);
	for (let i = 1; i < order.length; i++) order[i].labelY = Math.max(order[i].labelY, order[i - 1].labelY + least);
}

export interface RankTable {
	id: SeriesId;
	name: string;
	/** [layers][KV heads] ranks. */
	cells: number[][];
}

/** Ranks for 95 % of the energy, one table a series. */
export function rankTables(probe: SpectrumProbe, model: ModelShape): RankTable[] {
	const source = { keyBefore: probe.rank95KeyBefore, keyAfter: probe.rank95KeyAfter, value: probe.rank95Value };
	return SERIES.map(({ id, name }) => ({
		id, name,
		cells: Array.from({ length: model.layers }, (_, layer) =>
			Array.from({ length: model.kvHeads }, (_, head) => source[id][layer * model.kvHeads + head]))
	}));
}
