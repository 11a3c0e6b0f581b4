import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { expectBillIsPacked } from '../testing/untouched.ts';
import { promptView, Rig } from '../testing/views.ts';
import { laziness } from './simlayerkv.ts';

const d = TINY.headDim;
const N = 60;
const full = randomArm(N);
const ends = { initial: 3, recent: 20, last: 2 };
const rig = new Rig(full, []);
const view = (layer: number) => promptView(full, layer, (queryHead) => rig.queries(layer, queryHead));
const pressed = (params: object) => new Rig(full, [{ method: 'simlayerkv', params: { n_initial: 3, n_recent: 20, n_last: 2, ...params } }]).prefill().arm;

/** The share from the formula, one exponential after the other. */
function share(layer: number): number {
	let sum = 0;
	for (let queryHead = 0; queryHead < 4; queryHead++) {
		const keys = full.layers[layer].keys(queryHead >> 1);
		const queries = rig.queries(layer, queryHead);
		for (const i of [N - 2, N - 1]) {
			const e = Array.from({ length: i + 1 }, (_, j) => {
				let dot = 0;
				for (let c = 0; c < d; c++) dot += queries[i * d + c] * keys[j * d + c];
				return Math.exp(dot / Math.sqrt(d));
			});
			const total = e.reduce((a, b) => a + b);
			e.forEach((p, j) => {
				if (j < 3 || (j >= N - 22 && j < N - 2)) sum += p / total / 8;
			});
		}
	}
	return sum;
}

describe('simlayerkv', () => {
	it('measures the share of attention on both ends', () => {
		for (const layer of [0, 1]) {
			const found = laziness(full.layers[layer], view(layer), ends);
			expect(found).toBeCloseTo(share(layer), 6);
			expect(found).toBeGreaterThan(0);
			expect(found).toBeLessThan(1);
		}
	});

	it('trims a lazy layer to its ends and leaves the others whole', () => {
		const shares = [0, 1].map((layer) => laziness(full.layers[layer], view(layer), ends));
		const arm = pressed({ threshold: (shares[0] + shares[1]) / 2 });
		arm.layers.forEach((layer, l) => [0, 1].forEach((head) => {
			const lazy = shares[l] === Math.max(...shares);
			const wanted = Array.from({ length: N }, (_, p) => p).filter((p) => !lazy || p < 3 || p >= N - 18);
			expect(Array.from(layer.positions(head))).toEqual(wanted);
		}));
		expectBillIsPacked(arm);
	});

	it('trims nothing at 1, everything at 0, and never more layers for a higher bar', () => {
		const trimmed = [0, 0.1, 0.3, 0.5, 0.8, 1].map((threshold) => pressed({ threshold }).layers.filter((layer) => layer.length(0) < N).length);
		expect(trimmed[0]).toBe(TINY.layers);
		expect(trimmed.at(-1)).toBe(0);
		trimmed.slice(1).forEach((count, i) => expect(count).toBeLessThanOrEqual(trimmed[i]));
	});

	it('leaves a text alone that is no longer than its ends', () => {
		for (const layer of pressed({ threshold: 0, n_recent: N - 5 }).layers) expect(layer.length(0)).toBe(N);
		for (const layer of pressed({ threshold: 0, n_recent: N - 6 }).layers) expect(layer.length(0)).toBe(3 + N - 6 - 2);
	});
});
