import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { Rig } from '../testing/views.ts';
import { pyramid, roundHalfEven } from './pyramidkv.ts';

const sum = (x: number[]) => x.reduce((a, b) => a + b);

describe('pyramid', () => {
	it('has the budgets of its card', () => {
		expect(pyramid(1024, 512, 8, 64, 20).slots).toEqual([960, 832, 704, 576, 448, 320, 192, 64]);
		expect(pyramid(4096, 2048, 8, 64, 20).slots).toEqual([3994, 3438, 2882, 2326, 1770, 1214, 658, 102]);
		expect(pyramid(203, 101.5, 4, 8, 10).slots).toEqual([193, 132, 71, 10]);
		expect(pyramid(203, 50.75, 4, 4, 10).slots).toEqual([96, 66, 36, 5]);
	});

	it('falls steadily and adds up to the mean, within half a slot a layer', () => {
		for (const layers of [2, 3, 7, 12]) for (const mean of [33.5, 100, 190]) for (const beta of [1, 3, 20]) {
			const { slots } = pyramid(203, mean, layers, 2, beta);
			slots.slice(1).forEach((m, l) => expect(m).toBeLessThanOrEqual(slots[l]));
			expect(Math.abs(sum(slots) - layers * mean)).toBeLessThanOrEqual(layers / 2);
		}
	});

	it('is flat with beta 1, with one layer, and where the window would not fit', () => {
		expect(pyramid(1000, 250, 4, 8, 1).slots).toEqual([250, 250, 250, 250]);
		expect(pyramid(1000, 250, 1, 8, 20).slots).toEqual([250]);
		expect(pyramid(1000, 250, 4, 64, 20)).toEqual({ slots: [250, 250, 250, 250], flat: true });
		expect(pyramid(100, 0.2, 3, 1, 2).slots).toEqual([1, 1, 1]);
	});

	it('rounds halves to even', () => {
		expect([0.5, 1.5, 2.5, 3.5, 2.4999, 2.5001].map(roundHalfEven)).toEqual([0, 2, 2, 4, 2, 3]);
	});
});

describe('pyramidkv', () => {
	const kept = (params: object) => {
		const arm = new Rig(randomArm(80, { ...TINY, layers: 4 }), [{ method: 'pyramidkv', params: { scorer: { method: 'snapkv', params: { window: 4 } }, ...params } }]).prefill().arm;
		return { arm, lengths: arm.layers.map((layer) => layer.length(0)) };
	};

	it('gives layers the budgets of the pyramid, and each layer what its scorer would keep', () => {
		const { arm, lengths } = kept({ budget: { fraction: 0.5 }, beta: 5 });
		expect(lengths).toEqual(pyramid(80, 40, 4, 4, 5).slots);
		lengths.forEach((tokens, index) => {
			const plain = new Rig(randomArm(80, { ...TINY, layers: 4 }), [{ method: 'snapkv', params: { window: 4, budget: { tokens } } }]).prefill().arm;
			for (const head of [0, 1]) expect(arm.layers[index].positions(head)).toEqual(plain.layers[index].positions(head));
		});
	});

	it('wraps any scorer, each layer with its own budget', () => {
		const { arm, lengths } = kept({ budget: { tokens: 20 }, beta: 4, scorer: { method: 'streaming-llm' } });
		expect(new Set(lengths).size).toBe(4);
		arm.layers.forEach((layer, index) => {
			const recent = Array.from({ length: lengths[index] - 4 }, (_, i) => 80 - lengths[index] + 4 + i);
			expect(Array.from(layer.positions(1))).toEqual([0, 1, 2, 3, ...recent]);
		});
	});

	it('says when it had to be flat', () => {
		const { arm, lengths } = kept({ budget: { tokens: 10 }, beta: 20 });
		expect(new Set(lengths).size).toBe(1);
		expect(arm.records.every(({ decision }) => decision?.meaning.includes('too small for a pyramid'))).toBe(true);
	});

	it('in bytes stays within them, up to rounding', () => {
		const bytes = 4000;
		const { arm } = kept({ budget: { bytes }, beta: 4 });
		expect(arm.bill().total).toBeLessThanOrEqual(bytes + 4 * 2 * 34);
		expect(arm.bill().total).toBeGreaterThan(bytes - 4 * 2 * 34 * 2);
	});
});
