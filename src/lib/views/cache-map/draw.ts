/** Draws cells on a canvas; what stands where comes from geometry.ts. */
import { CELL_STATES } from '$lib/documents/trace.ts';
import type { Pen } from '$lib/ui/canvas.ts';
import { GlyphBrush } from '$lib/ui/glyphs.ts';
import { shareColumns, type MapGeometry, type MapRow } from './geometry.ts';

const brush = new GlyphBrush();

export interface RowColors {
	/** CSS colour of a state. */
	state(name: string): string;
}

/**
 * One head's row. `cells` are the states from position `from` on. Edges are snapped to device
 * pixels, so that a row of blocks is a row of sharp blocks.
 */
export function drawRow(pen: Pen, map: MapGeometry, row: MapRow, cells: Uint8Array, from: number, colors: RowColors): void {
	const { c, snap } = pen;
	const y = snap(row.y);
	const h = snap(row.y + map.cellHeight) - y;
	if (map.mode === 'share') {
		const left = snap(map.x(from));
		const wide = snap(map.x(from + cells.length)) - left;
		const columns = Math.max(1, Math.round(wide * pen.ratio));
		for (const column of shareColumns(cells, columns)) {
			for (const band of column.bands) {
				c.fillStyle = colors.state(CELL_STATES[band.state]);
				c.fillRect(left + column.from / pen.ratio, y + h * (1 - band.to), (column.to - column.from) / pen.ratio, h * (band.to - band.from));
			}
		}
		return;
	}
	const gap = map.mode === 'shapes' ? 1 : 1 / pen.ratio;
	let last = '';
	for (let i = 0; i < cells.length; i++) {
		const state = CELL_STATES[cells[i]];
		if (state === 'absent') continue;
		const left = snap(map.x(from + i));
		const right = Math.max(left + 1, snap(map.x(from + i + 1)) - gap);
		if (state !== last) {
			c.fillStyle = c.strokeStyle = colors.state(state);
			last = state;
		}
		brush.draw(c, state, left, y, right - left, h);
	}
}
