import { describe, expect, it } from 'vitest';
import type { AttentionProbe, HeadsProbe, ModelShape } from '$lib/documents/trace.ts';
import { miniHeads, profilePath } from './minis.ts';
import { headPanels, strongest, zoomWindow } from './panels.ts';

const model: ModelShape = { id: 'm', name: 'm', layers: 2, heads: 4, kvHeads: 2, headDim: 4, hidden: 16, vocab: 9, context: 64, ropeTheta: 1e4, weights: 1 };

function heads(positions = 10): HeadsProbe {
	const size = 2 * 4 * positions;
	const full = new Float32Array(size).fill(0.1);
	const arm = new Float32Array(size).fill(0.2);
	for (let i = 0; i < 8; i++) arm[i * positions + 3] = 0;
	full[5 * positions + 3] = 0.64;
	const massLost = new Float32Array(8).fill(0.1);
	massLost[5] = 0.64;
	return { kind: 'heads', step: 0, positions, full, arm, massLost };
}

function attention(steps: number, positions: number, fill: (s: number, p: number) => [number, number]): AttentionProbe {
	const full = new Float32Array(steps * positions);
	const arm = new Float32Array(steps * positions);
	for (let s = 0; s < steps; s++) for (let p = 0; p < positions; p++) [full[s * positions + p], arm[s * positions + p]] = fill(s, p);
	return { kind: 'attention', steps, positions, full, arm, massLost: new Float32Array(steps), massOnSummary: new Float32Array(steps) };
}

describe('small multiples', () => {
	it('hang what is gone and stand what is held, on a root scale', () => {
		const layout = miniHeads(heads(), model, 400);
		const cell = layout.heads[5];
		expect([cell.layer, cell.head, cell.kvHead]).toEqual([1, 1, 0]);
		expect(layout.limit).toBeCloseTo(0.64, 6);
		expect(cell.gone[3]).toBeCloseTo(1, 5);
		expect(cell.held[3]).toBe(0);
		expect(cell.held[4]).toBeCloseTo(Math.sqrt(0.1 / 0.64), 5);
	});

	it('stay inside the width and never overlap, narrow and wide', () => {
		for (const width of [300, 332, 520, 960]) {
			const { heads: cells, brackets } = miniHeads(heads(), model, width);
			const row = cells.filter((c) => c.layer === 0);
			for (let i = 1; i < row.length; i++) expect(row[i].x).toBeGreaterThanOrEqual(row[i - 1].x + row[i - 1].width);
			expect(row.at(-1)!.x + row.at(-1)!.width).toBeLessThanOrEqual(width);
			expect(brackets).toHaveLength(2);
			expect(brackets[1].x).toBe(row[2].x);
		}
	});

	it('sorted, put the head that lost most first and keep every head', () => {
		const cells = miniHeads(heads(), model, 400, 'lost').heads;
		expect([cells[0].layer, cells[0].head]).toEqual([1, 1]);
		expect(new Set(cells.map((c) => c.layer * 4 + c.head)).size).toBe(8);
	});

	it('draw one box a bin with mass', () => {
		const path = profilePath(Float32Array.of(0, 1, 0.5), 30, 10, 1);
		expect(path).toBe('M10 0v-10h10v10zM20 0v-5h10v5z');
		expect(profilePath(Float32Array.of(1), 30, 10, -1)).toBe('M0 0v10h30v-10z');
	});
});

describe('one head', () => {
	const probe = attention(3, 40, (s, p) => (p === 30 ? [0.5, 0] : p === 2 ? [0.1, 0.4] : [0.01, 0.015]));

	it('zooms to the selected position, clamped to the ends', () => {
		expect(zoomWindow(probe, 10, 20)).toEqual({ from: 15, to: 25 });
		expect(zoomWindow(probe, 10, 0)).toEqual({ from: 0, to: 10 });
		expect(zoomWindow(probe, 10, 39)).toEqual({ from: 30, to: 40 });
		expect(zoomWindow(probe, 100, 20)).toEqual({ from: 0, to: 40 });
	});

	it('without a selection zooms to where the two differ most', () => {
		const window = zoomWindow(probe, 10, null);
		expect(window.from).toBeLessThanOrEqual(30);
		expect(window.to).toBeGreaterThan(30);
	});

	it('shares one scale among all three; the difference is what the arm lost, negative where it gained', () => {
		const panels = headPanels(probe, { from: 0, to: 40 });
		expect(panels.limit).toBeCloseTo(0.5, 6);
		expect(panels.difference[30]).toBeCloseTo(0.5, 6);
		expect(panels.difference[2]).toBeCloseTo(-0.3, 6);
		const cut = headPanels(probe, { from: 0, to: 10 });
		expect(cut.limit).toBeCloseTo(0.4, 6);
		expect(cut.full).toHaveLength(30);
	});

	it('lists the strongest positions for the table', () => {
		expect(strongest(probe, 1).slice(0, 2).map((r) => r.position)).toEqual([30, 2]);
		expect(strongest(probe, 1)).toHaveLength(40);
	});
});
