import { describe, expect, it } from 'vitest';
import type { LostProbe, ModelShape } from '$lib/documents/trace.ts';
import { random } from '$lib/numerics/random.ts';
import { lostLayout, lostLines, massAt, meanLost, worstHead } from './geometry.ts';

const model = { layers: 3, heads: 4, kvHeads: 2 } as ModelShape;
const STEPS = 5;
const rng = random('lost');
const probe: LostProbe = { kind: 'lost', steps: STEPS, mass: Float32Array.from({ length: STEPS * 12 }, () => rng.uniform() ** 3) };
const empty: LostProbe = { kind: 'lost', steps: STEPS, mass: new Float32Array(STEPS * 12) };

describe('means and sums', () => {
	it('are those of a count over every head', () => {
		let sum = 0;
		for (let step = 0; step < STEPS; step++) {
			let all = 0;
			for (let layer = 0; layer < 3; layer++) {
				let own = 0;
				for (let head = 0; head < 4; head++) own += probe.mass[step * 12 + layer * 4 + head];
				expect(meanLost(probe, model, layer)[step]).toBeCloseTo(own / 4, 12);
				all += own;
			}
			expect(meanLost(probe, model)[step]).toBeCloseTo(all / 12, 12);
			sum += all / 12;
		}
		const [all, layer, head] = lostLines(probe, model, 2, 1);
		expect(all.sum).toBeCloseTo(sum, 12);
		expect(layer.values).toEqual(meanLost(probe, model, 2));
		expect(head.sum).toBeCloseTo(Array.from({ length: STEPS }, (_, s) => massAt(probe, model, s, 2, 1)).reduce((a, b) => a + b), 12);
	});

	it('name the head that lost most, and none where nothing is lost', () => {
		const mass = empty.mass.slice();
		for (let step = 0; step < STEPS; step++) mass[step * 12 + 1 * 4 + 3] = 0.5;
		mass[6] = 0.9;
		expect(worstHead({ ...empty, mass }, model)).toEqual({ layer: 1, queryHead: 3, sum: 2.5 });
		expect(worstHead(empty, model)).toBeNull();
	});
});

describe('the picture', () => {
	it('keeps lines on the strip and heads on the sheet, at every width', () => {
		for (const width of [300, 332, 700, 960]) {
			const layout = lostLayout(probe, model, lostLines(probe, model, 0, 0), width);
			expect(layout.x(STEPS)).toBeLessThanOrEqual(width);
			for (const { dots } of layout.paths) {
				for (const dot of dots) {
					expect(dot.y).toBeGreaterThanOrEqual(layout.top - 1e-9);
					expect(dot.y).toBeLessThanOrEqual(layout.bottom);
				}
			}
			expect(layout.rowY(2, 3) + layout.row).toBeLessThanOrEqual(layout.sheetHeight);
			// A root scale: a quarter of the top stands half as high.
			const top = Math.max(...probe.mass);
			const worst = lostLayout({ ...empty, mass: Float32Array.of(...empty.mass.slice(1), top) }, model, [{ id: 'all', values: Float64Array.of(top / 4), sum: 0 }], width);
			expect(worst.paths[0].dots[0].y).toBeCloseTo((worst.top + worst.bottom) / 2, 4);
			expect(layout.ticks.length).toBeGreaterThan(2);
			for (let i = 1; i < layout.ticks.length; i++) expect(layout.ticks[i - 1].y - layout.ticks[i].y).toBeGreaterThanOrEqual(18);
			expect(layout.ticks[0]).toMatchObject({ value: 0, y: layout.bottom });
		}
	});

	it('says what lies at a place, and the nearest beside it', () => {
		const layout = lostLayout(probe, model, lostLines(probe, model, 0, 0), 700);
		for (let layer = 0; layer < 3; layer++) {
			for (let queryHead = 0; queryHead < 4; queryHead++) {
				expect(layout.at(layout.x(3) + 1, layout.rowY(layer, queryHead) + 0.5)).toEqual({ step: 3, layer, queryHead });
			}
		}
		expect(layout.at(-5, -5)).toEqual({ step: 0, layer: 0, queryHead: 0 });
		expect(layout.at(1e4, 1e4)).toEqual({ step: STEPS - 1, layer: 2, queryHead: 3 });
	});

	it('draws nothing lost as a line on the ground', () => {
		const layout = lostLayout(empty, model, lostLines(empty, model, 0, 0), 700);
		expect(layout.limit).toBeGreaterThan(0);
		for (const { dots } of layout.paths) for (const dot of dots) expect(dot.y).toBe(layout.bottom);
		expect(layout.sheetLimit).toBe(0);
	});

	it('scales with many heads to rows that can still be hit', () => {
		const large = { layers: 30, heads: 9, kvHeads: 3 } as ModelShape;
		const many: LostProbe = { kind: 'lost', steps: 2, mass: new Float32Array(2 * 270) };
		const layout = lostLayout(many, large, lostLines(many, large, 0, 0), 960);
		expect(layout.row).toBeGreaterThanOrEqual(2);
		expect(layout.sheetHeight).toBeLessThan(700);
	});
});
