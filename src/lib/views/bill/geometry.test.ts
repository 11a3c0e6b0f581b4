import { describe, expect, it } from 'vitest';
import { BILL_ITEMS, CELL_STATES, type ArmTrace, type Bill, type ModelShape, type Trace } from '$lib/documents/trace.ts';
import { billAt, billLayout, billLines, fullBytes, receipt, sharedBudget } from './geometry.ts';

function bill(items: Partial<Bill['items']>, k: number, v: number, ratio = 4): Bill {
	const all = Object.fromEntries(BILL_ITEMS.map((item) => [item, items[item] ?? 0])) as Bill['items'];
	const total = Object.values(all).reduce((a, b) => a + b, 0);
	return { total, fast: total, items: all, ratio, bitsPerNumber: 16 / ratio, payloadK: k, payloadV: v };
}
const model: ModelShape = { id: 'm', name: 'm', layers: 1, heads: 2, kvHeads: 2, headDim: 4, hidden: 8, vocab: 9, context: 64, ropeTheta: 1e4, weights: 1 };
const KEPT = CELL_STATES.indexOf('kept');
const GONE = CELL_STATES.indexOf('evicted');

/** 2 heads x 6 positions, 4 + 3 slots kept, 8 bytes a half, 2 bytes a position. */
function arm(label: string, budget: unknown, b: Bill = bill({ payload: 112, positions: 14 }, 56, 56)): ArmTrace {
	const cells = Uint8Array.of(KEPT, KEPT, GONE, KEPT, KEPT, GONE, KEPT, GONE, GONE, KEPT, KEPT, GONE);
	return { label, stack: [{ method: 'snapkv', params: { budget: budget as never } }], steps: [], text: '', span: 6, cells, diffs: [], verbs: [], kept: [], billAfterPrompt: b };
}
const trace = (arms: ArmTrace[]) => ({ arms, model }) as unknown as Trace;

describe('the bill', () => {
	it('adds up: its lines are the total, whatever the halves count', () => {
		for (const b of [bill({ payload: 100, scales: 8, zeros: 8 }, 40, 60), bill({ payload: 100, window: 60 }, 70, 90)]) {
			expect(billLines(b).reduce((sum, line) => sum + line.bytes, 0)).toBe(b.total);
		}
	});
	it('does not guess how a payload beside a window splits into K and V', () => {
		expect(billLines(bill({ payload: 100, window: 60 }, 70, 90)).map((l) => l.id)).toEqual(['payload', 'window']);
	});
	it('leaves out what costs nothing and keeps the order', () => {
		expect(billLines(bill({ payload: 10, positions: 2, scales: 1 }, 5, 5)).map((l) => l.id)).toEqual(['payloadK', 'payloadV', 'scales', 'positions']);
	});
	it('is the prompt’s before the first step and the step’s after', () => {
		const a = arm('A', { fraction: 0.5 });
		a.steps = [{ bill: bill({ payload: 200 }, 100, 100) } as never];
		expect(billAt(a, -1).total).toBe(126);
		expect(billAt(a, 0).total).toBe(200);
		expect(billAt(a, 99).total).toBe(200);
	});
});

describe('the bars', () => {
	it('tile without gaps and end at their totals on one scale', () => {
		const layout = billLayout(trace([arm('A', { bytes: 130 }), arm('B', { bytes: 130 }, bill({ payload: 60, scales: 30, zeros: 30 }, 30, 30))]), -1, 384, 'arms');
		for (const bar of layout.bars) {
			for (let i = 1; i < bar.segments.length; i++) expect(bar.segments[i].x).toBeCloseTo(bar.segments[i - 1].x + bar.segments[i - 1].width, 9);
			expect(bar.end).toBeCloseTo(layout.x(bar.total), 9);
		}
		expect(layout.budget).toMatchObject({ bytes: 130 });
		expect(layout.budget!.x).toBeLessThanOrEqual(384);
		expect(layout.full.x).toBeNull();
	});
	it('reach the full cache on the full scale', () => {
		const layout = billLayout(trace([arm('A', { fraction: 0.3 })]), -1, 384, 'full');
		expect(layout.full.bytes).toBe(fullBytes(billAt(arm('A', 1), -1)));
		expect(layout.full.x).toBeCloseTo(378, 6);
		expect(layout.bars[0].end).toBeLessThan(layout.full.x!);
		expect(layout.budget).toBeNull();
	});
});

it('knows a shared budget only when all arms have the same', () => {
	expect(sharedBudget(trace([arm('A', { bytes: 130 }), arm('B', { bytes: 130 })]))).toBe(130);
	expect(sharedBudget(trace([arm('A', { bytes: 130 }), arm('B', { bytes: 131 })]))).toBeNull();
	expect(sharedBudget(trace([arm('A', { fraction: 0.2 })]))).toBeNull();
	expect(sharedBudget(trace([]))).toBeNull();
});

it('writes a product only when it gives the bytes', () => {
	const good = receipt(model, arm('A', 1), -1);
	expect(good.slots).toBe(7);
	expect(good.lines.map((l) => l.factors && l.factors.slots * l.factors.per * l.factors.bytesEach)).toEqual([56, 56, 14]);
	const odd = receipt(model, arm('A', 1, bill({ payload: 100, positions: 13 }, 50, 50)), -1);
	expect(odd.lines.every((l) => l.factors === null)).toBe(true);
});
