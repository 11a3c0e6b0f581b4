import { describe, expect, it } from 'vitest';
import type { ArmStepTrace } from '$lib/documents/trace.ts';
import { nextWord, wordLayout } from './geometry.ts';

const bill = { total: 1, fast: 1, ratio: 1, bitsPerNumber: 16, payloadK: 0, payloadV: 0, items: { payload: 1, scales: 0, zeros: 0, codebooks: 0, indices: 0, positions: 0, window: 0, state: 0 } };
function step(part: Partial<ArmStepTrace>): ArmStepTrace {
	return {
		token: 2, text: '2', nll: 1, kl: 2.3, agrees: false, bill,
		top: [{ id: 2, text: '2', p: 0.43 }, { id: 1, text: '1', p: 0.2 }],
		fullTop: [{ id: 9, text: '9', p: 0.86 }, { id: 2, text: '2', p: 0.05 }, { id: 1, text: '1', p: 0.03 }],
		pOfFullTop: [0.08, 0.43, 0.2],
		...part
	};
}

describe('the next word', () => {
	it('marks the arm’s word as changed only when it differs from the full cache’s', () => {
		const differs = nextWord(step({}));
		expect(differs.agrees).toBe(false);
		expect(differs.rows.filter((r) => r.changed).map((r) => r.text)).toEqual(['2']);
		const same = nextWord(step({ top: [{ id: 9, text: '9', p: 0.7 }] }));
		expect(same.agrees).toBe(true);
		expect(same.rows.some((r) => r.changed)).toBe(false);
	});

	it('sums to one on both sides, the rest included', () => {
		const { rows } = nextWord(step({}));
		expect(rows.at(-1)?.id).toBe(-1);
		expect(rows.reduce((s, r) => s + (r.full ?? 0), 0)).toBeCloseTo(1, 12);
		expect(rows.reduce((s, r) => s + (r.arm ?? 0), 0)).toBeCloseTo(1, 12);
	});

	it('adds the arm’s word when the full cache does not list it, with a bound and not a zero', () => {
		const { rows } = nextWord(step({ top: [{ id: 77, text: 'x', p: 0.5 }], token: 77 }));
		const extra = rows.find((r) => r.id === 77);
		expect(extra).toMatchObject({ changed: true, full: null, fullAtMost: 0.03, arm: 0.5, taken: true });
		expect(rows.filter((r) => r.id === 77)).toHaveLength(1);
	});

	it('uses the recorded probability of a word further down the full list', () => {
		const { rows } = nextWord(step({}), 1);
		expect(rows.find((r) => r.id === 2)).toMatchObject({ full: 0.05, arm: 0.43 });
	});

	it('draws lengths in proportion and keeps labels inside the width', () => {
		const layout = wordLayout(nextWord(step({})), 384);
		const nine = layout.bars.find((b) => b.id === 9)!;
		const two = layout.bars.find((b) => b.id === 2)!;
		expect(nine.fullLength / two.armLength).toBeCloseTo(0.86 / 0.43, 5);
		for (const bar of layout.bars) expect(bar.labelX).toBeLessThan(384 - 70);
	});
});
