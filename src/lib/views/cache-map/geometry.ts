/**
 * The cache map on the memory ruler: rows layer > KV head, columns positions; below, one layer of
 * the other arms under the same ruler. Pure: shape and width in, places out.
 */
import type { ModelShape } from '$lib/documents/trace.ts';
import { rulerTicks, type Tick } from '$lib/ui/ruler.ts';

/** shapes: every state its shape; plain: no cuts; share: several positions a column. */
export type CellMode = 'shapes' | 'plain' | 'share';

export interface MapOptions {
	model: Pick<ModelShape, 'layers' | 'kvHeads'>;
	/** Positions drawn, `to` excluded. */
	from: number;
	to: number;
	width: number;
	gutter: number;
	cellHeight: number;
	cellGap: number;
	layerGap: number;
	/** Layers of the chosen arm, top to bottom. */
	layers: readonly number[];
	arm: number;
	/** Other arms, and the layer shown of them. */
	others: readonly number[];
	layer: number;
	/** Height of the ruler above the first row. */
	ruler: number;
}

export interface MapRow {
	arm: number;
	layer: number;
	head: number;
	y: number;
}

/** A stave: the heads of one layer of one arm. */
export interface MapStave {
	arm: number;
	layer: number;
	y: number;
	height: number;
	/** Of another arm than the chosen one. */
	other: boolean;
}

export interface MapGeometry {
	width: number;
	height: number;
	gutter: number;
	/** Width of one position, pixels. */
	cell: number;
	cellHeight: number;
	mode: CellMode;
	rows: MapRow[];
	staves: MapStave[];
	/** Baseline of the ruler. */
	rulerY: number;
	/** Baseline of the heading over the other arms. */
	othersY: number | null;
	ticks: (Tick & { x: number })[];
	x(position: number): number;
	row(arm: number, layer: number, head: number): MapRow | undefined;
	at(x: number, y: number): { arm: number; layer: number; head: number; position: number } | null;
}

export function mapGeometry(o: MapOptions): MapGeometry {
	const positions = Math.max(1, o.to - o.from);
	const cell = Math.max(0.01, (o.width - o.gutter) / positions);
	const pitch = o.cellHeight + o.cellGap;
	const stave = o.model.kvHeads * pitch;
	const rows: MapRow[] = [];
	const staves: MapStave[] = [];
	let y = o.ruler;
	const add = (arm: number, layer: number, other: boolean) => {
		staves.push({ arm, layer, y, height: stave - o.cellGap, other });
		for (let head = 0; head < o.model.kvHeads; head++) rows.push({ arm, layer, head, y: y + head * pitch });
		y += stave + o.layerGap;
	};
	for (const layer of o.layers) add(o.arm, layer, false);
	let othersY: number | null = null;
	if (o.others.length) {
		othersY = y + 14;
		y += 24;
		for (const arm of o.others) add(arm, o.layer, true);
	}
	const x = (position: number) => o.gutter + (position - o.from) * cell;
	return {
		width: o.width, height: y + 2, gutter: o.gutter, cell, cellHeight: o.cellHeight,
		mode: cell >= 4 ? 'shapes' : cell >= 2 ? 'plain' : 'share',
		rows, staves, rulerY: o.ruler - 6, othersY,
		ticks: rulerTicks(o.from, o.to, o.width - o.gutter, 64).filter((t) => Number.isInteger(t.value)).map((t) => ({ ...t, x: x(t.value) })),
		x,
		row: (arm, layer, head) => rows.find((r) => r.arm === arm && r.layer === layer && r.head === head),
		at(px, py) {
			const position = o.from + Math.floor((px - o.gutter) / cell);
			if (px < o.gutter || position >= o.to || rows.length === 0) return null;
			// Nearest row within half a layer gap: pointing, not pixel hunting.
			let best = rows[0];
			let distance = Infinity;
			for (const row of rows) {
				const d = Math.max(row.y - py, py - (row.y + o.cellHeight), 0);
				if (d < distance) [best, distance] = [row, d];
			}
			if (distance > Math.max(4, o.layerGap)) return null;
			return { arm: best.arm, layer: best.layer, head: best.head, position };
		}
	};
}

/** A window of `size` positions round `centre`, inside [0, span). */
export function windowRound(centre: number, size: number, span: number): { from: number; to: number } {
	if (size >= span) return { from: 0, to: span };
	const from = Math.min(span - size, Math.max(0, Math.round(centre - size / 2)));
	return { from, to: from + size };
}
