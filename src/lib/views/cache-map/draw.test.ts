import { describe, expect, it } from 'vitest';
import { CELL_STATES } from '$lib/documents/trace.ts';
import { changedCells, drawMoving } from './draw.ts';
import { mapGeometry } from './geometry.ts';

const index = (name: (typeof CELL_STATES)[number]) => CELL_STATES.indexOf(name);

describe('ink on its way', () => {
	it('follows the cells that differ, and gives up on a crowd or another shape', () => {
		expect(changedCells(Uint8Array.of(1, 2, 3), Uint8Array.of(1, 4, 3))).toEqual([1]);
		expect(changedCells(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 3))).toBeNull();
		expect(changedCells(new Uint8Array(9), new Uint8Array(9).fill(1), 5)).toBeNull();
	});

	it('stands on the baseline at a height between the old and the new', () => {
		const map = mapGeometry({
			model: { layers: 1, kvHeads: 1 }, from: 0, to: 10, width: 164, gutter: 64, cellHeight: 10, cellGap: 1, layerGap: 6,
			layers: [0], arm: 0, others: [], layer: 0, ruler: 40
		});
		const drawn: number[][] = [];
		const c = { fillStyle: '', fillRect: (...box: number[]) => drawn.push(box) } as unknown as CanvasRenderingContext2D;
		const pen = { c, ratio: 1, snap: (v: number) => Math.round(v) };
		const [before, after] = [new Uint8Array(10).fill(index('kept')), new Uint8Array(10).fill(index('b8'))];
		drawMoving(pen, map, map.rows[0], [3], before, after, 0, 0.5, { state: () => '#000' });
		const [[x, y, , h]] = drawn;
		expect(h).toBeCloseTo(7.5);
		expect(y + h).toBeCloseTo(map.rows[0].y + 10);
		expect(x).toBeCloseTo(map.x(3));
	});
});
