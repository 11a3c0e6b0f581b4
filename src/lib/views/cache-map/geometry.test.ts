import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CELL_STATES } from '$lib/documents/trace.ts';
import { STATE_INK } from '$lib/ui/glyphs.ts';
import { shareColumns } from './columns.ts';
import { mapGeometry, windowRound, type MapOptions } from './geometry.ts';

const options: MapOptions = {
	model: { layers: 6, kvHeads: 4 }, from: 0, to: 128, width: 960, gutter: 64, cellHeight: 10, cellGap: 1, layerGap: 6,
	layers: [0, 1, 2, 3, 4, 5], arm: 0, others: [1, 2], layer: 3, ruler: 46
};
const index = (name: (typeof CELL_STATES)[number]) => CELL_STATES.indexOf(name);

describe('cache map', () => {
	it('has a row for each head of each layer, and one layer of every other arm', () => {
		const map = mapGeometry(options);
		expect(map.rows).toHaveLength(6 * 4 + 2 * 4);
		expect(map.staves.filter((s) => s.other).map((s) => [s.arm, s.layer])).toEqual([[1, 3], [2, 3]]);
		expect(map.rows.every((row, i) => i === 0 || row.y > map.rows[i - 1].y)).toBe(true);
		expect(map.height).toBeGreaterThan(map.rows[map.rows.length - 1].y + 10);
		expect(mapGeometry({ ...options, others: [] }).othersY).toBeNull();
	});

	it('chooses its glyphs by the width of a cell', () => {
		expect(mapGeometry(options).mode).toBe('shapes');
		expect(mapGeometry({ ...options, to: 300 }).mode).toBe('plain');
		expect(mapGeometry({ ...options, to: 600 }).mode).toBe('share');
	});

	it('finds the cell that it drew at a place', () => {
		const map = mapGeometry(options);
		fc.assert(fc.property(fc.nat(map.rows.length - 1), fc.nat(127), (i, position) => {
			const row = map.rows[i];
			expect(map.at(map.x(position) + map.cell / 2, row.y + 5)).toEqual({ arm: row.arm, layer: row.layer, head: row.head, position });
		}));
		expect(map.at(10, 80)).toBeNull();
		expect(map.at(961, 80)).toBeNull();
		expect(map.at(200, 5)).toBeNull();
	});

	it('keeps a window inside the positions', () => {
		expect(windowRound(5, 40, 128)).toEqual({ from: 0, to: 40 });
		expect(windowRound(64, 40, 128)).toEqual({ from: 44, to: 84 });
		expect(windowRound(127, 40, 128)).toEqual({ from: 88, to: 128 });
		expect(windowRound(3, 40, 20)).toEqual({ from: 0, to: 20 });
	});
});

describe('share of states in narrow columns', () => {
	it('spends as much ink as the cells have', () => {
		fc.assert(fc.property(fc.array(fc.nat(CELL_STATES.length - 1), { minLength: 1, maxLength: 64 }), (states) => {
			const cells = Uint8Array.from(states).map((s) => (CELL_STATES[s] === 'hidden' ? index('kept') : s));
			const columns = shareColumns(cells, cells.length);
			const ink = columns.flatMap((c) => c.bands.map((b) => (c.to - c.from) * (b.to - b.from))).reduce((a, b) => a + b, 0);
			const wanted = [...cells].reduce((sum, s) => sum + STATE_INK[CELL_STATES[s]], 0);
			expect(ink).toBeCloseTo(wanted, 6);
			expect(columns[0].from).toBe(0);
			expect(columns[columns.length - 1].to).toBe(cells.length);
		}));
	});

	it('says a half where half is kept, stacked from the baseline', () => {
		const cells = Uint8Array.from([index('kept'), index('evicted'), index('kept'), index('evicted')]);
		expect(shareColumns(cells, 2)).toEqual([{ from: 0, to: 2, bands: [{ state: index('kept'), from: 0, to: 0.5 }] }]);
	});
});
