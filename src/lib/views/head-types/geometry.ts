/** All query heads with the three shares that decide their type, and the type. Pure. */
import { HEAD_TYPES, headType, massesIn, type HeadMasses, type HeadType } from '$lib/documents/head-types.ts';
import type { ModelShape, TypesProbe } from '$lib/documents/trace.ts';
import { headGrid } from '$lib/ui/head-grid.ts';

export interface TypedHead {
	layer: number;
	queryHead: number;
	kvHead: number;
	masses: HeadMasses;
	/** First, last, copied: 0 to 1, 0 where nothing was copied. */
	shares: [number, number, number];
	type: HeadType;
}

/** Every query head, layer by layer. */
export function typedHeads(probe: TypesProbe, model: ModelShape): TypedHead[] {
	return Array.from({ length: model.layers * model.heads }, (_, i) => {
		const [layer, queryHead] = [Math.floor(i / model.heads), i % model.heads];
		const masses = massesIn(probe, model, layer, queryHead);
		return {
			layer, queryHead, kvHead: Math.floor((queryHead * model.kvHeads) / model.heads), masses,
			shares: [masses.first, masses.last, masses.copied ?? 0], type: headType(masses)
		};
	});
}

export function countTypes(heads: readonly TypedHead[]): Record<HeadType, number> {
	const counts = Object.fromEntries(HEAD_TYPES.map((type) => [type, 0])) as Record<HeadType, number>;
	for (const { type } of heads) counts[type]++;
	return counts;
}

export interface TypeCell extends TypedHead {
	x: number;
	y: number;
}

export interface TypesLayout {
	width: number;
	height: number;
	cell: number;
	/** Height of a cell, of its bars, and where they stand from its upper edge. */
	rowHeight: number;
	barTop: number;
	barHeight: number;
	/** Left edge and width of each of the three bars, from the cell's left edge. */
	bars: { x: number; width: number }[];
	/** The letter stands left of the bars; on cells too narrow for that, above them. */
	letterAbove: boolean;
	/** Baseline of the number, from the cell's upper edge; null where there is no room for one. */
	numberY: number | null;
	cells: TypeCell[];
	rows: { y: number; layer: number }[];
	brackets: { x: number; width: number; kvHead: number }[];
}

export function typesLayout(heads: readonly TypedHead[], model: ModelShape, width: number, scale = 1): TypesLayout {
	const { cell, x, brackets } = headGrid(model, width, Math.round(34 * scale));
	const letterAbove = cell < 44 * scale;
	const barTop = letterAbove ? Math.round(15 * scale) : 3;
	const barHeight = Math.round(24 * scale);
	const numberY = cell >= 26 * scale ? barTop + barHeight + Math.round(12 * scale) : null;
	const rowHeight = barTop + barHeight + (numberY === null ? 3 : Math.round(16 * scale));
	const left = letterAbove ? 2 : Math.round(18 * scale);
	const pitch = (cell - left - 2) / 3;
	const top = Math.round(24 * scale);
	const rowY = (layer: number) => top + layer * (rowHeight + 4);
	return {
		width, height: rowY(model.layers), cell, rowHeight, barTop, barHeight, letterAbove, numberY, brackets,
		bars: [0, 1, 2].map((i) => ({ x: left + i * pitch, width: Math.max(1, pitch - 2) })),
		cells: heads.map((head) => ({ ...head, x: x(head.queryHead), y: rowY(head.layer) })),
		rows: Array.from({ length: model.layers }, (_, layer) => ({ layer, y: rowY(layer) + barTop + barHeight / 2 + 4 }))
	};
}
