/** Rows of cells that are too narrow to be drawn one by one: the share of each state by pixel column. Pure. */
import { CELL_STATES } from '$lib/documents/trace.ts';
import { STATE_INK } from '$lib/ui/glyphs.ts';

/** One band of a column in share mode: its state, its height from the baseline in rows' heights. */
export interface Band {
	state: number;
	from: number;
	to: number;
}

export interface Column {
	/** First and end column (pixels of the ratio asked for), equal bands joined. */
	from: number;
	to: number;
	bands: Band[];
}

/**
 * Cells narrower than two pixels: for every pixel column the share of each state among the cells
 * it covers, as ink. `cells` is one head's row from `from` to `to`; `columns` pixels wide.
 * Neighbouring columns that look the same are joined.
 */
export function shareColumns(cells: Uint8Array, columns: number): Column[] {
	const out: Column[] = [];
	let lastKey = '';
	for (let c = 0; c < columns; c++) {
		const from = Math.floor((c * cells.length) / columns);
		const to = Math.max(from + 1, Math.ceil(((c + 1) * cells.length) / columns));
		const counts = new Map<number, number>();
		for (let i = from; i < Math.min(to, cells.length); i++) counts.set(cells[i], (counts.get(cells[i]) ?? 0) + 1);
		const key = [...counts].sort((a, b) => a[0] - b[0]).join('|');
		if (key === lastKey && out.length) {
			out[out.length - 1].to = c + 1;
			continue;
		}
		lastKey = key;
		let height = 0;
		const bands: Band[] = [];
		for (const [state, count] of [...counts].sort((a, b) => a[0] - b[0])) {
			// A hidden slot is stored but not read; its place shows as an outline, here as its full share.
			const ink = CELL_STATES[state] === 'hidden' ? 1 : STATE_INK[CELL_STATES[state]];
			const share = (count / (to - from)) * ink;
			if (share > 0) bands.push({ state, from: height, to: height + share });
			height += share;
		}
		out.push({ from: c, to: c + 1, bands });
	}
	return out;
}
