import { describe, expect, it } from 'vitest';
import { CELL_STATES, type CellState } from '$lib/documents/trace.ts';
import { glyph, STATE_INK, STATE_LETTER } from './glyphs.ts';

/** Area of the filled paths by sampling: even-odd ray casting on flattened paths. */
function inkOf(state: CellState, w: number, h: number, samples = 96): number {
	const rings = glyph(state, w, h).filter((p) => p.mode === 'fill').flatMap((p) => flatten(p.d));
	let inside = 0;
	for (let i = 0; i < samples; i++) {
		for (let j = 0; j < samples; j++) {
			const [x, y] = [((i + 0.5) * w) / samples, ((j + 0.5) * h) / samples];
			let crossings = 0;
			for (const ring of rings) {
				ring.forEach(([ax, ay], k) => {
					const [bx, by] = ring[(k + 1) % ring.length];
					if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) crossings++;
				});
			}
			if (crossings % 2) inside++;
		}
	}
	return inside / samples ** 2;
}

function flatten(d: string): [number, number][][] {
	const rings: [number, number][][] = [];
	let at: [number, number] = [0, 0];
	for (const [, op, rest] of d.matchAll(/([MLhvaz])([^MLhvaz]*)/g)) {
		const n = (rest.match(/-?\d+(\.\d+)?/g) ?? []).map(Number);
		if (op === 'M') rings.push([]);
		const ring = rings[rings.length - 1];
		const go = (x: number, y: number) => ring.push((at = [x, y]));
		if (op === 'M' || op === 'L') for (let i = 0; i < n.length; i += 2) go(n[i], n[i + 1]);
		if (op === 'h') go(at[0] + n[0], at[1]);
		if (op === 'v') go(at[0], at[1] + n[0]);
		if (op === 'a') {
			// Half circles only: from the present point to the opposite one.
			const [cx, cy, r] = [at[0] + n[5] / 2, at[1], Math.abs(n[5]) / 2];
			const from = n[5] > 0 ? Math.PI : 0;
			for (let k = 1; k <= 24; k++) go(cx + r * Math.cos(from + (Math.PI * k) / 24), cy + r * Math.sin(from + (Math.PI * k) / 24));
		}
	}
	return rings;
}

describe('glyphs', () => {
	it('spend ink in proportion to bits', () => {
		const [w, h] = [12, 16];
		const full = inkOf('kept', w, h);
		expect(full).toBe(1);
		for (const [state, share] of [['b8', 8 / 16], ['b4', 4 / 16], ['b3', 3 / 16], ['b2', 2 / 16]] as const) {
			expect(inkOf(state, w, h)).toBeCloseTo(share, 2);
		}
	});

	it('leave at most a fifth out for lids, gaps, holes and cuts, and only a dot of what is gone', () => {
		for (const state of ['sink', 'window', 'fetched', 'restored'] as const) {
			expect(inkOf(state, 9, 11)).toBeGreaterThan(0.7);
			expect(inkOf(state, 9, 11)).toBeLessThan(1);
		}
		expect(inkOf('evicted', 9, 11)).toBeLessThan(0.06);
		expect(glyph('absent', 9, 11)).toEqual([]);
	});

	it('differ from one another in shape alone, from 4 px on', () => {
		for (const [w, h] of [[4, 8], [9, 10], [27, 27]]) {
			const shapes = CELL_STATES.filter((s) => s !== 'absent').map((s) => JSON.stringify(glyph(s, w, h)));
			expect(new Set(shapes).size).toBe(shapes.length);
		}
	});

	it('make no cuts under 4 px and never leave their cell', () => {
		for (const state of ['kept', 'sink', 'window', 'merged', 'restored', 'corrupted', 'fetched'] as const) {
			expect(glyph(state, 3, 10)).toEqual(glyph('kept', 3, 10));
		}
		for (const state of CELL_STATES) {
			for (const [x, y] of glyph(state, 9, 10).filter((p) => p.mode === 'fill').flatMap((p) => flatten(p.d)).flat()) {
				expect(x).toBeGreaterThanOrEqual(-0.01);
				expect(x).toBeLessThanOrEqual(9.01);
				expect(y).toBeGreaterThanOrEqual(-0.01);
				expect(y).toBeLessThanOrEqual(10.01);
			}
		}
	});

	it('have a letter and an ink for every state', () => {
		const letters = CELL_STATES.filter((s) => s !== 'absent').map((s) => STATE_LETTER[s]);
		expect(new Set(letters).size).toBe(letters.length);
		for (const state of CELL_STATES) expect(STATE_INK[state]).toBeGreaterThanOrEqual(0);
	});
});
