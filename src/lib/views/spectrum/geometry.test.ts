import { describe, expect, it } from 'vitest';
import type { ModelShape, SpectrumProbe } from '$lib/documents/trace.ts';
import { armRank, energyKept, rankFor, rankTables, spectrumLayout } from './geometry.ts';

const falling = (rate: number) => Float32Array.from({ length: 16 }, (_, i) => 40 * Math.exp(-i / rate));
const probe: SpectrumProbe = {
	kind: 'spectrum', keyBefore: falling(2), keyAfter: falling(4), value: falling(9), rankK: 4, rankV: 6, place: 'before',
	rank95KeyBefore: Uint16Array.of(1, 2, 3, 4), rank95KeyAfter: Uint16Array.of(5, 6, 7, 8), rank95Value: Uint16Array.of(9, 10, 11, 12)
};

describe('energy', () => {
	it('is the share of squared singular values', () => {
		expect(energyKept([3, 4], 1)).toBeCloseTo(9 / 25, 12);
		expect(energyKept([3, 4], 2)).toBe(1);
		expect(energyKept([0, 0], 1)).toBe(1);
	});
	it('gives the smallest rank that reaches a share', () => {
		const s = [10, 1, 1, 0.1];
		const rank = rankFor(s, 0.99);
		expect(energyKept(s, rank)).toBeGreaterThanOrEqual(0.99);
		expect(energyKept(s, rank - 1)).toBeLessThan(0.99);
	});
});

describe('the plot', () => {
	it('draws an arm’s own rank where it projects and the handle’s elsewhere', () => {
		expect([armRank(probe, 'keyBefore'), armRank(probe, 'keyAfter'), armRank(probe, 'value')]).toEqual([4, undefined, 6]);
		const { series } = spectrumLayout(probe, 9, 500);
		expect(series.map((s) => s.marks.filter((m) => !m.hollow).length)).toEqual([4, 9, 6]);
	});
	it('falls to the right and stays inside its frame', () => {
		for (const width of [300, 520]) {
			const layout = spectrumLayout(probe, 4, width);
			for (const { marks } of layout.series) {
				for (let i = 1; i < marks.length; i++) expect(marks[i].y).toBeGreaterThanOrEqual(marks[i - 1].y);
				for (const m of marks) expect(m.y).toBeLessThanOrEqual(layout.bottom);
				expect(marks[0].y).toBeGreaterThanOrEqual(layout.top);
			}
		}
	});
	it('reads a rank back from the place it is drawn at', () => {
		const layout = spectrumLayout(probe, 4, 520);
		for (let r = 0; r <= 16; r++) expect(layout.rankAt(layout.rankX(r))).toBe(r);
		expect(layout.rankAt(-50)).toBe(0);
		expect(layout.rankAt(9999)).toBe(16);
	});
	it('keeps the labels apart', () => {
		const same: SpectrumProbe = { ...probe, keyAfter: probe.keyBefore, value: probe.keyBefore };
		const ys = spectrumLayout(same, 4, 520).series.map((s) => s.labelY).sort((a, b) => a - b);
		expect(ys[1] - ys[0]).toBeGreaterThanOrEqual(15);
		expect(ys[2] - ys[1]).toBeGreaterThanOrEqual(15);
	});
});

it('puts the ranks in tables of layers by KV heads', () => {
	const model: ModelShape = { id: 'm', name: 'm', layers: 2, heads: 4, kvHeads: 2, headDim: 16, hidden: 16, vocab: 9, context: 64, ropeTheta: 1e4, weights: 1 };
	expect(rankTables(probe, model).map((t) => t.cells)).toEqual([[[1, 2], [3, 4]], [[5, 6], [7, 8]], [[9, 10], [11, 12]]]);
});
