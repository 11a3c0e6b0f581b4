import { describe, expect, it } from 'vitest';
import { CELL_STATES } from '$lib/documents/trace.ts';
import { syntheticTrace } from '../testing/synthetic.ts';
import { loupeGeometry } from '../loupe/geometry.ts';
import { lostEverywhere, ribbonTokens } from './geometry.ts';

const index = (name: (typeof CELL_STATES)[number]) => CELL_STATES.indexOf(name);

describe('the text in memory', () => {
	it('counts the heads that hold a token', () => {
		const trace = syntheticTrace();
		const arm = trace.arms[0];
		const heads = trace.model.layers * trace.model.kvHeads;
		for (let lane = 0; lane < heads; lane++) arm.cells[lane * arm.span + 20] = index(lane < 8 ? 'kept' : 'evicted');
		for (let lane = 0; lane < heads; lane++) arm.cells[lane * arm.span + 21] = index('evicted');
		for (let lane = 0; lane < heads; lane++) arm.cells[lane * arm.span + 22] = index('hidden');
		const tokens = ribbonTokens(trace, 0, 0);
		expect(tokens[20]).toMatchObject({ held: 8 / heads, fate: 'few', state: 'evicted' });
		expect(tokens[21]).toMatchObject({ held: 0, ink: 0, fate: 'none' });
		// Hidden slots are stored, but nothing reads them.
		expect(tokens[22]).toMatchObject({ held: 1, fate: 'none', state: 'hidden' });
		expect(lostEverywhere(tokens)).toBeGreaterThanOrEqual(2);
	});

	it('spends ink in bits', () => {
		const trace = syntheticTrace({ arms: ['kivi'] });
		const [token] = ribbonTokens(trace, 0, 0);
		expect(token).toMatchObject({ held: 1, ink: 2 / 16, state: 'b2', fate: 'all' });
	});

	it('grows by one token a step, and marks the answer', () => {
		const trace = syntheticTrace();
		expect(ribbonTokens(trace, 0, -1)).toHaveLength(128);
		expect(ribbonTokens(trace, 0, 0)).toHaveLength(128);
		const later = ribbonTokens(trace, 0, 5);
		expect(later).toHaveLength(133);
		expect(later.filter((t) => t.generated)).toHaveLength(5);
		const [from, to] = trace.prompt.needles[0];
		expect(later.filter((t) => t.needle).map((t) => t.position)).toEqual(Array.from({ length: to - from }, (_, i) => from + i));
		expect(ribbonTokens(trace, 9, 0)).toEqual([]);
	});
});

describe('the loupe', () => {
	it('shows nine positions round the selection, and stops at the ends', () => {
		const trace = syntheticTrace();
		const at = (position: number) => loupeGeometry(trace, 0, 2, 0, position, 384).columns.map((c) => c.position);
		expect(at(50)).toEqual([46, 47, 48, 49, 50, 51, 52, 53, 54]);
		expect(at(1)[0]).toBe(0);
		expect(at(127).at(-1)).toBe(127);
	});
	it('shows the states of that layer, and finds them back', () => {
		const trace = syntheticTrace();
		const loupe = loupeGeometry(trace, 0, 2, 0, 50, 384);
		const arm = trace.arms[0];
		for (const cell of loupe.cells) {
			expect(CELL_STATES[arm.cells[(2 * 4 + cell.head) * arm.span + cell.position]]).toBe(cell.state);
			expect(loupe.at(cell.x + 4, cell.y + 4)).toEqual({ position: cell.position, head: cell.head });
		}
	});
});
