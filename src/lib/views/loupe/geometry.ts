/** The loupe: a few positions round the selection, all heads of one layer, big enough for letters. Pure. */
import { cellsAt, positionsAt, textsOfRow } from '$lib/documents/read.ts';
import { CELL_STATES, type CellState, type Trace } from '$lib/documents/trace.ts';
import { visibleToken } from '$lib/ui/format.ts';

export interface LoupeColumn {
	position: number;
	text: string;
	x: number;
}

export interface LoupeCell {
	position: number;
	head: number;
	state: CellState;
	x: number;
	y: number;
}

export interface Loupe {
	height: number;
	column: number;
	cell: number;
	columns: LoupeColumn[];
	cells: LoupeCell[];
	at(x: number, y: number): { position: number; head: number } | null;
}

export const LOUPE_TOP = 36;
const GUTTER = 30;

/** `around` is the position in the middle; near the ends the window stops, the selection moves. */
export function loupeGeometry(trace: Trace, arm: number, layer: number, step: number, around: number, width: number, positions = 9, cell = 27): Loupe {
	const row = trace.arms[arm];
	const at = row ? Math.min(step, row.steps.length - 1) : -1;
	const exists = row ? Math.min(row.span, positionsAt(trace, at)) : 0;
	const n = Math.min(positions, exists);
	const first = Math.max(0, Math.min(exists - n, around - Math.floor(n / 2)));
	const column = Math.max(12, (width - GUTTER) / Math.max(1, n));
	const pitch = cell + 4;
	const texts = row ? textsOfRow(trace, row, at) : [];
	const states = row ? cellsAt(row, at) : new Uint8Array();
	const columns = Array.from({ length: n }, (_, i) => ({ position: first + i, text: visibleToken(texts[first + i] ?? ''), x: GUTTER + i * column }));
	const cells = columns.flatMap(({ position, x }) => Array.from({ length: trace.model.kvHeads }, (_, head) => ({
		position, head, x: x + 5, y: LOUPE_TOP + head * pitch,
		state: CELL_STATES[states[(layer * trace.model.kvHeads + head) * row.span + position]]
	})));
	return {
		height: LOUPE_TOP + trace.model.kvHeads * pitch + 2, column, cell, columns, cells,
		at(px, py) {
			const i = Math.floor((px - GUTTER) / column);
			const head = Math.floor((py - LOUPE_TOP + 2) / pitch);
			if (i < 0 || i >= n) return null;
			return { position: first + i, head: Math.min(trace.model.kvHeads - 1, Math.max(0, head)) };
		}
	};
}
