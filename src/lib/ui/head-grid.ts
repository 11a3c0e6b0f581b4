/** Where the query heads of a model stand in a picture: a row a layer, KV groups apart. Pure. */
import type { ModelShape } from '$lib/documents/trace.ts';

export interface HeadGrid {
	/** Width of a cell. */
	cell: number;
	/** Left edge of a query head. */
	x(head: number): number;
	/** What a KV head's queries span. */
	brackets: { x: number; width: number; kvHead: number }[];
}

/** Columns of `width` pixels right of a gutter for the layers' names. */
export function headGrid(model: ModelShape, width: number, gutter: number): HeadGrid {
	const { heads, kvHeads } = model;
	const group = heads / kvHeads;
	const gap = width < 420 ? 2 : 4;
	const groupGap = width < 420 ? 4 : 9;
	const cell = Math.max(8, Math.floor((width - gutter - (heads - 1) * gap - (kvHeads - 1) * groupGap) / heads));
	const x = (head: number) => gutter + head * (cell + gap) + Math.floor(head / group) * groupGap;
	const brackets = Array.from({ length: kvHeads }, (_, kvHead) => ({ x: x(kvHead * group), width: x(kvHead * group + group - 1) + cell - x(kvHead * group), kvHead }));
	return { cell, x, brackets };
}

/** The index, layer by layer, that an arrow key leads to from `index`; null for other keys and beyond the last head. */
export function headByKey(key: string, index: number, model: ModelShape): number | null {
	const moves: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: model.heads, ArrowUp: -model.heads };
	if (!(key in moves)) return null;
	const next = index + moves[key];
	return next >= 0 && next < model.layers * model.heads ? next : null;
}
