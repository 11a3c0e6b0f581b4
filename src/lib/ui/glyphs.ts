/**
 * Slot states as shapes. Ink is bytes: a 16-bit slot fills its cell, 8 bits stand half as high on
 * the baseline, 4 a quarter, 3 and 2 are also narrower, an evicted slot leaves a dot. Shape says
 * the state before colour does. Pure: state and size in, paths out.
 */
import type { CellState } from '$lib/documents/trace.ts';

export interface GlyphPath {
	/** SVG path data in a w x h box whose origin is its top left corner. */
	d: string;
	/** Fill with the even-odd rule (holes are real holes), or stroke 1 px wide. */
	mode: 'fill' | 'stroke';
}

export const STATE_LETTER: Record<CellState, string> = {
	absent: '', kept: 'K', sink: 'S', window: 'W', evicted: 'E', merged: 'M', b8: '8', b4: '4', b3: '3', b2: '2',
	lowrank: 'L', fetched: 'F', hidden: 'H', restored: 'R', pinned: 'P', corrupted: '!'
};

/** Ink of a state as a share of a 16-bit slot, as drawn without cuts. A projection's true share depends on its rank. */
export const STATE_INK: Record<CellState, number> = {
	absent: 0, kept: 1, sink: 1, window: 1, evicted: 0, merged: 1, b8: 8 / 16, b4: 4 / 16, b3: 3 / 16, b2: 2 / 16,
	lowrank: 1 / 2, fetched: 1, hidden: 0, restored: 1, pinned: 1, corrupted: 1
};

const n = (value: number) => `${Math.round(value * 100) / 100}`;
const box = (x: number, y: number, w: number, h: number) => `M${n(x)} ${n(y)}h${n(w)}v${n(h)}h${n(-w)}z`;
const poly = (...points: [number, number][]) => `M${points.map(([x, y]) => `${n(x)} ${n(y)}`).join('L')}z`;
const disc = (x: number, y: number, r: number) =>
	`M${n(x - r)} ${n(y)}a${n(r)} ${n(r)} 0 1 0 ${n(2 * r)} 0a${n(r)} ${n(r)} 0 1 0 ${n(-2 * r)} 0z`;

function hatch(w: number, h: number): string {
	// 45 degree lines x - y = k (y down, rising to the right), clipped to the box by hand.
	const pitch = Math.max(3, w / 4);
	let d = box(0.5, 0.5, w - 1, h - 1);
	for (let k = pitch / 2; k < w + h; k += pitch) {
		const from: [number, number] = k <= h ? [0, k] : [k - h, h];
		const to: [number, number] = k <= w ? [k, 0] : [w, k - w];
		d += `M${n(from[0])} ${n(from[1])}L${n(to[0])} ${n(to[1])}`;
	}
	return d;
}

/** Paths of one state in a w x h cell. Under 4 px width no cuts are made. */
export function glyph(state: CellState, w: number, h: number): GlyphPath[] {
	const fill = (d: string): GlyphPath[] => [{ d, mode: 'fill' }];
	const low = (width: number, height: number) => {
		const tall = Math.max(Math.min(2, h), h * height);
		return fill(box(0, h - tall, Math.max(1, w * width), tall));
	};
	switch (state) {
		case 'absent': return [];
		case 'evicted': {
			const tall = Math.max(1, Math.min(2, w * 0.14));
			const wide = Math.min(w, Math.max(1.6, w * 0.22));
			return fill(box((w - wide) / 2, h - tall, wide, tall));
		}
		case 'b8': return low(1, 8 / 16);
		case 'b4': return low(1, 4 / 16);
		case 'b3': return low(3 / 4, 4 / 16);
		case 'b2': return low(2 / 4, 4 / 16);
		case 'pinned': return fill(disc(w / 2, h / 2, Math.min(w, h) / 2));
		case 'hidden': return w < 4 ? [{ d: box(0.5, 0.5, Math.max(0.5, w - 1), h - 1), mode: 'stroke' }] : [{ d: hatch(w, h), mode: 'stroke' }];
		case 'lowrank': return fill(poly([0, 0], [w, h], [0, h]));
	}
	if (w < 4) return fill(box(0, 0, w, h));
	const gap = Math.max(1, Math.min(w, h) * 0.14);
	switch (state) {
		case 'sink': {
			const lid = h * 0.24;
			return fill(box(0, 0, w, lid) + box(0, lid + gap, w, h - lid - gap));
		}
		case 'window': {
			const pillar = (w - gap) / 2;
			return fill(box(0, 0, pillar, h) + box(pillar + gap, 0, pillar, h));
		}
		case 'merged': return fill(poly([0, 0], [w / 2, h / 2], [w, 0], [w, h], [0, h]));
		case 'fetched': return fill(poly([0, h], [0, h * 0.45], [w / 2, 0], [w, h * 0.45], [w, h]));
		case 'restored': return fill(box(0, 0, w, h) + disc(w / 2, h / 2, Math.min(w, h) * 0.26));
		case 'corrupted': {
			// Four wedges left by an X of the gap's width.
			const gx = (gap * 1.15 * Math.hypot(w, h)) / (2 * h);
			const gy = (gap * 1.15 * Math.hypot(w, h)) / (2 * w);
			const [mx, my] = [w / 2, h / 2];
			return fill(
				poly([gx, 0], [w - gx, 0], [mx, my - gy]) + poly([w, gy], [w, h - gy], [mx + gx, my]) +
				poly([w - gx, h], [gx, h], [mx, my + gy]) + poly([0, h - gy], [0, gy], [mx - gx, my])
			);
		}
		default: return fill(box(0, 0, w, h));
	}
}

/** Draws glyphs on a canvas; paths of one size are built once. */
export class GlyphBrush {
	#paths = new Map<string, { path: Path2D; mode: GlyphPath['mode'] }[]>();

	draw(c: CanvasRenderingContext2D, state: CellState, x: number, y: number, w: number, h: number): void {
		const key = `${state}:${n(w)}:${n(h)}`;
		let parts = this.#paths.get(key);
		if (!parts) {
			parts = glyph(state, w, h).map(({ d, mode }) => ({ path: new Path2D(d), mode }));
			this.#paths.set(key, parts);
		}
		c.translate(x, y);
		for (const { path, mode } of parts) {
			if (mode === 'fill') c.fill(path, 'evenodd');
			else {
				c.lineWidth = 1;
				c.stroke(path);
			}
		}
		c.translate(-x, -y);
	}
}
