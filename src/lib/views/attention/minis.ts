/**
 * Small multiples of all query heads at one step. Pure.
 *
 * A small multiple is a profile over positions on a root scale from 0 to the largest weight of all heads. Mass on slots that the
 * arm still holds stands on the baseline; mass on slots that are gone hangs below it, so that the
 * loss shows by direction and not by colour alone.
 */
import type { HeadsProbe, ModelShape } from '$lib/documents/trace.ts';
import { headGrid } from '$lib/ui/head-grid.ts';

export interface MiniHead {
	layer: number;
	/** Query head. */
	head: number;
	kvHead: number;
	x: number;
	y: number;
	width: number;
	/** Baseline of the profile. */
	baseline: number;
	/** Root of the largest weight in each bin over the shared limit, 0 to 1: on slots held, and on slots gone. */
	held: Float32Array;
	gone: Float32Array;
	/** Mass on slots gone, 0 to 1. */
	lost: number;
}

export interface MiniLayout {
	width: number;
	height: number;
	heads: MiniHead[];
	/** Weight at the top of every profile: the largest of all heads. */
	limit: number;
	/** px that the limit stands above, and hangs below, the baseline. */
	rise: number;
	drop: number;
	barY: number;
	rows: { y: number; layer: number }[];
	brackets: { x: number; width: number; kvHead: number }[];
}

export type HeadOrder = 'layer' | 'lost';

/** Lays out every query head; sorted by mass lost, rows lose their layer and cells carry it. */
export function miniHeads(probe: HeadsProbe, model: ModelShape, width: number, order: HeadOrder = 'layer', scale = 1): MiniLayout {
	const { layers, heads, kvHeads } = model;
	const group = heads / kvHeads;
	const { cell, x, brackets } = headGrid(model, width, Math.round((order === 'layer' ? 34 : 0) * scale));
	const rise = Math.round(20 * scale);
	const drop = Math.round(12 * scale);
	const label = order === 'layer' ? 0 : Math.round(15 * scale);
	const pitch = rise + drop + 13 + label;
	const top = order === 'layer' ? Math.round(24 * scale) : 2;

	const all = Array.from({ length: layers * heads }, (_, i) => i);
	if (order === 'lost') all.sort((a, b) => probe.massLost[b] - probe.massLost[a]);
	const bins = Math.max(1, Math.min(probe.positions, Math.floor(cell)));
	const limit = probe.full.reduce((a, b) => Math.max(a, b), 0) || 1;
	const out = all.map((index, i): MiniHead => {
		const row = order === 'layer' ? Math.floor(index / heads) : Math.floor(i / heads);
		const head = index % heads;
		const column = order === 'layer' ? head : i % heads;
		const { held, gone } = profile(probe, index, bins, limit);
		return {
			layer: Math.floor(index / heads),
			head,
			kvHead: Math.floor(head / group),
			x: x(column),
			y: top + row * pitch,
			width: cell,
			baseline: top + row * pitch + label + rise,
			held,
			gone,
			lost: probe.massLost[index]
		};
	});
	return {
		width,
		height: top + layers * pitch + 2,
		heads: out,
		limit,
		rise,
		drop,
		barY: drop + 3,
		rows: order === 'layer' ? Array.from({ length: layers }, (_, layer) => ({ y: top + layer * pitch + rise + 4, layer })) : [],
		brackets: order === 'layer' ? brackets : []
	};
}

/** A position is gone when the full cache may read it and the arm gives it nothing at all. */
function profile(probe: HeadsProbe, index: number, bins: number, limit: number): { held: Float32Array; gone: Float32Array } {
	const held = new Float32Array(bins);
	const gone = new Float32Array(bins);
	for (let p = 0; p < probe.positions; p++) {
		const weight = probe.full[index * probe.positions + p];
		const target = probe.arm[index * probe.positions + p] === 0 ? gone : held;
		const bin = Math.floor((p * bins) / probe.positions);
		target[bin] = Math.max(target[bin], weight);
	}
	for (let b = 0; b < bins; b++) {
		held[b] = Math.sqrt(held[b] / limit);
		gone[b] = Math.sqrt(gone[b] / limit);
	}
	return { held, gone };
}

/** SVG path of one profile as steps of one bin; `sign` 1 stands up, -1 hangs down. Empty for no mass. */
export function profilePath(values: Float32Array, width: number, amplitude: number, sign: 1 | -1, threshold = 0.03): string {
	const step = width / values.length;
	let path = '';
	for (let b = 0; b < values.length; b++) {
		if (values[b] < threshold) continue;
		const height = Math.max(1, values[b] * amplitude);
		path += `M${round(b * step)} 0v${round(-sign * height)}h${round(step)}v${round(sign * height)}z`;
	}
	return path;
}

const round = (v: number) => Math.round(v * 100) / 100;
