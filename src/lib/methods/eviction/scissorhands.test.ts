import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { topSlots } from '../select.ts';
import { promptView, Rig } from '../testing/views.ts';
import { addRow, important, promptHistory } from './scissorhands.ts';

const N = 40;
const d = TINY.headDim;
const full = randomArm(N);
const rule = { counts: true, window: 4, decay: 1, recent: 0, sinks: 0 };
const rigOf = (params: object) => new Rig(full, [{ method: 'scissorhands', params }]);

/** Group mean of the attention of the last `w` prompt tokens, oldest first, each over the tokens it sees. */
function promptRows(rig: Rig, layer: number, head: number, w: number): number[][] {
	return Array.from({ length: w }, (_, k) => {
		const i = N - w + k;
		const mean = new Array<number>(i + 1).fill(0);
		for (const h of [2 * head, 2 * head + 1]) {
			const keys = full.layers[layer].keys(head);
			const query = rig.queries(layer, h).subarray(i * d, (i + 1) * d);
			const weights = mean.map((_, j) => Math.exp(query.reduce((sum, q, c) => sum + q * keys[j * d + c], 0) / Math.sqrt(d)));
			const total = weights.reduce((a, b) => a + b);
			weights.forEach((weight, j) => (mean[j] += weight / total / 2));
		}
		return mean;
	});
}

describe('scissorhands', () => {
	it('counts how often of the last rows a token was at or above the even share', () => {
		const rig = rigOf({});
		const seen = promptView(full, 1, (h) => rig.queries(1, h));
		const { byHead } = important(full.layers[1], rule, promptHistory(full.layers[1], seen, rule));
		byHead.forEach((row, head) => {
			const rows = promptRows(rig, 1, head, 4);
			expect(Array.from(row)).toEqual(Array.from({ length: N }, (_, j) => rows.filter((r) => (r[j] ?? 0) >= 1 / r.length).length));
		});
	});

	it('forgets what is older than the window, at 32 steps too', () => {
		for (const window of [1, 3, 32]) {
			let values = new Float64Array(2);
			for (let step = 0; step < 70; step++) values = addRow({ ...rule, window }, values, step < 66 ? [0.9, 0.1] : [0.1, 0.9], 2) as Float64Array<ArrayBuffer>;
			const layer = { kvHeads: 1, positions: () => Int32Array.of(0, 1) } as never;
			const [row] = important(layer, { ...rule, window }, [{ positions: Int32Array.of(0, 1), values }]).byHead;
			expect(Array.from(row)).toEqual([Math.max(0, window - 4), Math.min(window, 4)]);
		}
	});

	it('with decay 0.5, ones and [0, 1, 2, 3] give [0.5, 1.5, 2.5, 3.5]', () => {
		const faded = addRow({ ...rule, counts: false, decay: 0.5 }, Float64Array.of(1, 1, 1, 1), [0, 1, 2, 3], 4);
		expect(Array.from(faded)).toEqual([0.5, 1.5, 2.5, 3.5]);
	});

	it('of [.1, .9, .2, .8, .3, .4] keeps 0, 1, 3, 5 with a budget of 4, one sink and one recent token', () => {
		const positions = Int32Array.of(0, 1, 2, 3, 4, 5);
		const layer = { kvHeads: 1, positions: () => positions } as never;
		const values = Float64Array.of(0.1, 0.9, 0.2, 0.8, 0.3, 0.4);
		const scores = important(layer, { ...rule, counts: false, recent: 1, sinks: 1 }, [{ positions, values }]);
		expect(Array.from(topSlots(scores.byHead[0], 4, scores.always![0]))).toEqual([0, 1, 3, 5]);
	});

	it.each(['count', 'sum'])('holds the budget, drops several at a time and never the newest (%s)', (importance) => {
		const rig = rigOf({ budget: { tokens: 20 }, drop: 6, recent: 5, window: 8, importance }).prefill();
		const memory = rig.arm.layers.map((layer, index) => [0, 1].map((head) => {
			const rows = promptRows(rig, index, head, 8);
			return Array.from(layer.positions(head), (position) => rows.map((r) => ({ attention: r[position] ?? 0, above: r[position] >= 1 / r.length })).map((r) => ({ ...r, position })));
		}).map((slots) => new Map(slots.map((rows) => [rows[0].position, rows.map(({ attention, above }) => ({ attention, above }))]))));
		let drops = 0;
		for (let step = 0; step < 30; step++) {
			const present = rig.arm.layers.map((layer) => [0, 1].map((head) => [...layer.positions(head), N + step]));
			rig.decode();
			rig.arm.layers.forEach((layer, index) => [0, 1].forEach((head) => {
				const history = memory[index][head];
				const before = present[index][head];
				history.set(N + step, []);
				before.forEach((position, slot) => {
					const attention = (rig.lastAttention[index][2 * head][slot] + rig.lastAttention[index][2 * head + 1][slot]) / 2;
					history.get(position)!.push({ attention, above: attention >= 1 / before.length });
				});
				const found = Array.from(layer.positions(head));
				expect(found.length).toBeLessThanOrEqual(20);
				expect(found.length).toBeGreaterThanOrEqual(14);
				expect(found.slice(-5)).toEqual([N + step - 4, N + step - 3, N + step - 2, N + step - 1, N + step].filter((p) => before.includes(p)).slice(-5));
				if (before.length <= 20) return expect(found).toEqual(before);
				drops++;
				const worth = (position: number) => {
					const rows = history.get(position)!;
					return importance === 'count' ? rows.slice(-8).filter(({ above }) => above).length : rows.reduce((sum, r) => sum + r.attention, 0);
				};
				const stay = before.slice(0, -5).sort((a, b) => worth(b) - worth(a) || a - b).slice(0, 10);
				expect(found).toEqual([...stay, ...before.slice(-5)].sort((a, b) => a - b));
			}));
		}
		expect(drops).toBeGreaterThanOrEqual(8);
	});

	it.each([[8, 1], [16, 2], [32, 4]])('bills a history of %i steps with %i bytes a slot', (window, bytes) => {
		const rig = rigOf({ budget: { tokens: 20 }, window }).prefill();
		expect(rig.arm.bill().items.state).toBe(bytes * 20 * TINY.layers * TINY.kvHeads);
	});

	it('never drops while the buffer is not full', () => {
		const rig = rigOf({ budget: { tokens: N + 3 } }).prefill();
		for (let step = 0; step < 3; step++) rig.decode();
		expect(rig.arm.layers[0].length(0)).toBe(N + 3);
	});
});
