/**
 * The mass that fell on what an arm no longer has: three lines over the steps (all heads, a layer, a
 * head), their sums, and a sheet of all heads by step on the same columns. Pure.
 */
import type { LostProbe, ModelShape } from '$lib/documents/trace.ts';

export type LineId = 'all' | 'layer' | 'head';

export interface LostLine {
	id: LineId;
	/** Mass lost by step, 0 to 1; a mean over heads but for one head. */
	values: Float64Array;
	/** Over all steps: 1 is the whole attention of one step. */
	sum: number;
}

const total = (values: Float64Array) => values.reduce((a, b) => a + b, 0);

/** Mass lost of one head in one step. */
export function massAt(probe: LostProbe, model: ModelShape, step: number, layer: number, queryHead: number): number {
	return probe.mass[(step * model.layers + layer) * model.heads + queryHead];
}

/** Mean over the heads of `layer`, or over all where it is null, by step. */
export function meanLost(probe: LostProbe, model: ModelShape, layer: number | null = null): Float64Array {
	const layers = layer === null ? Array.from({ length: model.layers }, (_, l) => l) : [layer];
	return Float64Array.from({ length: probe.steps }, (_, step) => {
		let sum = 0;
		for (const l of layers) for (let head = 0; head < model.heads; head++) sum += massAt(probe, model, step, l, head);
		return sum / (layers.length * model.heads);
	});
}

/** The three lines, the broadest first. */
export function lostLines(probe: LostProbe, model: ModelShape, layer: number, queryHead: number): LostLine[] {
	const head = Float64Array.from({ length: probe.steps }, (_, step) => massAt(probe, model, step, layer, queryHead));
	const lines: [LineId, Float64Array][] = [['all', meanLost(probe, model)], ['layer', meanLost(probe, model, layer)], ['head', head]];
	return lines.map(([id, values]) => ({ id, values, sum: total(values) }));
}

/** The head that lost most over all steps; null where none lost anything. */
export function worstHead(probe: LostProbe, model: ModelShape): { layer: number; queryHead: number; sum: number } | null {
	const count = model.layers * model.heads;
	const sums = new Float64Array(count);
	probe.mass.forEach((mass, i) => (sums[i % count] += mass));
	const at = sums.indexOf(Math.max(...sums));
	return sums[at] > 0 ? { layer: Math.floor(at / model.heads), queryHead: at % model.heads, sum: sums[at] } : null;
}

export interface LostLayout {
	width: number;
	gutter: number;
	/** Width of a step. */
	column: number;
	/** Left edge of a step. */
	x(step: number): number;
	/** Top and bottom of the lines' strip. */
	top: number;
	bottom: number;
	/** Mass at the top of the strip, on a root scale. */
	limit: number;
	ticks: { value: number; y: number }[];
	paths: { id: LineId; d: string; dots: { x: number; y: number }[] }[];
	/** Height of a head's row on the sheet, and where every row begins. */
	row: number;
	rowY(layer: number, queryHead: number): number;
	sheetHeight: number;
	/** Largest mass of all heads: the end of the sheet's scale. */
	sheetLimit: number;
	/** What lies at a place of the sheet, from its upper left corner; the nearest where nothing does. */
	at(x: number, y: number): { step: number; layer: number; queryHead: number };
}

const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));

/** Round shares up to `limit`, the largest first, each at least `apart` pixels below the one before, and 0. */
function rootTicks(limit: number, y: (value: number) => number, apart: number): { value: number; y: number }[] {
	const ticks: { value: number; y: number }[] = [];
	for (const value of [1, 0.75, 0.5, 0.25, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002]) {
		if (value <= limit * 1.0001 && y(0) - y(value) >= apart && (!ticks.length || y(value) - ticks[ticks.length - 1].y >= apart)) ticks.push({ value, y: y(value) });
	}
	return [...ticks, { value: 0, y: y(0) }].reverse();
}

export function lostLayout(probe: LostProbe, model: ModelShape, lines: readonly LostLine[], width: number, scale = 1): LostLayout {
	const gutter = Math.round(44 * scale);
	const column = Math.min(72 * scale, (width - gutter - 2) / Math.max(1, probe.steps));
	const x = (step: number) => gutter + step * column;
	const top = Math.round(10 * scale);
	const bottom = top + Math.round(110 * scale);
	// One root scale for lines and sheet, the same whichever head is looked at. Nothing lost is a line on the ground, not noise blown up.
	const sheetLimit = probe.mass.reduce((a, b) => Math.max(a, b), 0);
	const limit = Math.max(sheetLimit, 0.01);
	const y = (value: number) => bottom - Math.sqrt(value / limit) * (bottom - top);
	const paths = lines.map(({ id, values }) => {
		const dots = Array.from(values, (value, s) => ({ x: x(s) + column / 2, y: y(value) }));
		return { id, dots, d: dots.map((dot, i) => `${i ? 'L' : 'M'}${dot.x.toFixed(2)} ${dot.y.toFixed(2)}`).join('') };
	});
	const rows = model.layers * model.heads;
	const row = clamp(Math.floor((330 * scale) / rows), 2, 9 * scale);
	const layerGap = row > 3 ? 4 : 1;
	const layerHeight = model.heads * row + layerGap;
	return {
		width, gutter, column, x, top, bottom, limit, paths, row,
		ticks: rootTicks(limit, y, 18 * scale),
		rowY: (layer, queryHead) => layer * layerHeight + queryHead * row,
		sheetHeight: model.layers * layerHeight - layerGap,
		sheetLimit,
		at: (px, py) => {
			const layer = clamp(Math.floor(py / layerHeight), 0, model.layers - 1);
			return {
				step: clamp(Math.floor((px - gutter) / column), 0, Math.max(0, probe.steps - 1)), layer,
				queryHead: clamp(Math.floor((py - layer * layerHeight) / row), 0, model.heads - 1)
			};
		}
	};
}
