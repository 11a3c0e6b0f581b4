import { describe, expect, it } from 'vitest';
import type { ModelShape, TypesProbe } from '$lib/documents/trace.ts';
import { headByKey } from '$lib/ui/head-grid.ts';
import { countTypes, typedHeads, typesLayout } from './geometry.ts';

const model = { layers: 2, heads: 4, kvHeads: 2 } as ModelShape;
const probe: TypesProbe = {
	kind: 'types', steps: 6, copies: 2,
	first: Float32Array.of(0.75, 0.25, 0, 0.25, 0.5, 0, 0.5, 0.125), last: Float32Array.of(0, 0.5, 0.25, 0.25, 0.25, 0, 0.25, 0.125),
	copied: Float32Array.of(0, 0, 0.875, 0.25, 0, 0, 0.75, 0.125)
};

describe('typed heads', () => {
	const heads = typedHeads(probe, model);
	it('have their own shares and the type that these give', () => {
		expect(heads.map(({ type }) => type)).toEqual(['sink', 'local', 'retrieval', 'mixed', 'sink', 'mixed', 'retrieval', 'mixed']);
		expect(heads[6]).toMatchObject({ layer: 1, queryHead: 2, kvHead: 1, shares: [0.5, 0.25, 0.75] });
		expect(countTypes(heads)).toEqual({ sink: 2, local: 1, retrieval: 2, mixed: 3 });
	});
	it('never retrieve where nothing was copied', () => {
		const blind = typedHeads({ ...probe, copies: 0 }, model);
		expect(blind.map(({ masses }) => masses.copied)).toEqual(new Array(8).fill(null));
		expect(countTypes(blind).retrieval).toBe(0);
	});
});

describe('the picture', () => {
	it('keeps cells apart, bars inside them and all of it inside the width', () => {
		for (const width of [300, 332, 560, 960]) {
			const layout = typesLayout(typedHeads(probe, model), model, width);
			for (const row of [0, 1]) {
				const cells = layout.cells.filter(({ layer }) => layer === row);
				for (let i = 1; i < cells.length; i++) expect(cells[i].x).toBeGreaterThanOrEqual(cells[i - 1].x + layout.cell);
				expect(cells[3].x + layout.cell).toBeLessThanOrEqual(width);
			}
			expect(layout.cells[4].y).toBeGreaterThan(layout.cells[0].y + layout.rowHeight);
			expect(layout.bars[2].x + layout.bars[2].width).toBeLessThanOrEqual(layout.cell);
			expect(layout.cells[7].y + layout.rowHeight).toBeLessThanOrEqual(layout.height);
		}
	});
	it('is gone through by arrow keys, head by head and layer by layer', () => {
		expect(headByKey('ArrowRight', 3, model)).toBe(4);
		expect(headByKey('ArrowDown', 3, model)).toBe(7);
		expect(headByKey('ArrowUp', 3, model)).toBeNull();
		expect(headByKey('ArrowRight', 7, model)).toBeNull();
		expect(headByKey('x', 3, model)).toBeNull();
	});
});
