/** Draws cells on a canvas; what stands where comes from geometry.ts. */
import { CELL_STATES } from '$lib/documents/trace.ts';
import type { Pen } from '$lib/ui/canvas.ts';
import { GlyphBrush, STATE_INK } from '$lib/ui/glyphs.ts';
import { shareColumns } from './columns.ts';
import type { MapGeometry, MapRow } from './geometry.ts';

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

/** Cells that differ, as indices; null when too many moved to be followed by eye. */
export function changedCells(before: Uint8Array, after: Uint8Array, most = 4000): number[] | null {
	if (before.length !== after.length) return null;
	const changed: number[] = [];
	for (let i = 0; i < after.length; i++) {
		if (before[i] === after[i]) continue;
		if (changed.length === most) return null;
		changed.push(i);
	}
	return changed;
}

/** Ink on its way: each changed cell as a block whose height goes from the old state's to the new one's. */
export function drawMoving(pen: Pen, map: MapGeometry, row: MapRow, positions: readonly number[], before: Uint8Array, after: Uint8Array, offset: number, t: number, colors: RowColors): void {
	const { c, snap } = pen;
	const y = snap(row.y);
	const h = snap(row.y + map.cellHeight) - y;
	for (const position of positions) {
		const [a, b] = [CELL_STATES[before[offset + position]], CELL_STATES[after[offset + position]]];
		const ink = STATE_INK[a] + (STATE_INK[b] - STATE_INK[a]) * t;
		const left = snap(map.x(position));
		c.fillStyle = colors.state(STATE_INK[b] >= STATE_INK[a] || t > 0.5 ? b : a);
		c.fillRect(left, y + h * (1 - ink), Math.max(1, snap(map.x(position + 1)) - 1 - left), h * ink);
	}
}
