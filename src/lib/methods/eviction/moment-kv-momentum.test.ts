import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import type { StepView } from '../define.ts';
import { expectBillIsPacked } from '../testing/untouched.ts';
import { Rig } from '../testing/views.ts';

const N = 30;
const rigOf = (params: object) => new Rig(randomArm(N), [{ method: 'moment-kv-momentum', params }]).prefill();
/** Mean over all query heads of what the last step paid to each position. */
function paid(rig: Rig, layer: number, positions: number[]): Map<number, number> {
	const rows = rig.lastAttention[layer];
	return new Map(positions.map((position, slot) => [position, rows.reduce((sum, row) => sum + row[slot], 0) / rows.length]));
}

describe('moment-kv-momentum', () => {
	it.each([0, 0.5, 0.97, 1])('follows the explicit sum with alpha %d, and keeps its pool at every step', (alpha) => {
		const rig = rigOf({ capacity: 8, alpha });
		const history = rig.arm.layers.map(() => [] as Map<number, number>[]);
		const pool = rig.arm.layers.map(() => [] as number[]);
		for (let t = 0; t < 40; t++) {
			const before = rig.arm.layers.map((layer) => [...layer.positions(0), N + t]);
			rig.decode();
			rig.arm.layers.forEach((layer, l) => {
				history[l].push(paid(rig, l, before[l]));
				pool[l].push(N + t);
				const importance = (i: number) => history[l].reduce((sum, step, s) => sum + alpha ** (t - s) * (step.get(i) ?? 0), 0);
				for (const i of pool[l]) {
					expect(importance(i)).toBeGreaterThan(0);
					if (alpha < 1) expect(importance(i)).toBeLessThanOrEqual(1 / (1 - alpha));
				}
				if (alpha < 1) expect(pool[l].reduce((sum, i) => sum + importance(i), 0)).toBeLessThanOrEqual(1 / (1 - alpha));
				if (pool[l].length > 8) pool[l] = pool[l].filter((i) => i !== pool[l].reduce((a, b) => (importance(b) < importance(a) ? b : a)));
				const wanted = [...Array.from({ length: N }, (_, i) => i), ...pool[l]];
				for (const head of [0, 1]) expect(Array.from(layer.positions(head))).toEqual(wanted);
				const state = layer.held.get('scores of written tokens')![0].array;
				expect(state).toHaveLength(pool[l].length);
				pool[l].forEach((i, at) => expect(state[at]).toBeCloseTo(importance(i), 6));
			});
			expectBillIsPacked(rig.arm);
			expect(rig.arm.bill().items.state).toBe(4 * Math.min(8, t + 1) * TINY.layers);
		}
	});

	it('keeps all that is written while the pool has room', () => {
		const rig = rigOf({ capacity: 12 });
		for (let t = 0; t < 12; t++) rig.decode();
		for (const layer of rig.arm.layers) expect(layer.length(1)).toBe(N + 12);
	});

	it('with equal attention for all, the newest goes first', () => {
		const rig = rigOf({ capacity: 5, alpha: 0.9 });
		for (let t = 0; t < 9; t++) {
			const position = N + t;
			rig.arm.layers.forEach((layer, l) => {
				for (const head of [0, 1]) rig.arm.append(l, head, new Float32Array(8), new Float32Array(8), position, position);
				const positions = [0, 1].map((head) => layer.positions(head));
				const even: Partial<StepView> = { position, model: TINY, positions: (head) => positions[head], attention: (h) => new Float32Array(positions[h >> 1].length).fill(1 / positions[h >> 1].length) };
				rig.instances[0].appended!(layer, even as StepView);
				expect(Array.from(layer.positions(0)).slice(N)).toEqual(Array.from({ length: Math.min(5, t + 1) }, (_, i) => N + i));
			});
		}
	});

	it('lets a method before it compress the prompt', () => {
		const rig = new Rig(randomArm(N), [{ method: 'knorm', params: { budget: { tokens: 10 } } }, { method: 'moment-kv-momentum', params: { capacity: 6 } }]).prefill();
		for (let t = 0; t < 15; t++) rig.decode();
		for (const layer of rig.arm.layers) for (const head of [0, 1]) {
			const positions = Array.from(layer.positions(head));
			expect(positions.filter((p) => p < N)).toHaveLength(10);
			expect(positions.filter((p) => p >= N)).toHaveLength(6);
		}
	});
});
