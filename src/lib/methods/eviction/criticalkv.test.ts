import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { fixtureNormal } from '$lib/numerics/fixture.ts';
import { attentionRow } from '../observe.ts';
import { topSlots } from '../select.ts';
import { randomSupplies } from '../testing/supplies.ts';
import { expectBillIsPacked } from '../testing/untouched.ts';
import { promptView, Rig } from '../testing/views.ts';
import { projectedSizes, twoStages } from './criticalkv.ts';

const d = TINY.headDim;
const N = 60;
const full = randomArm(N);
const pressed = (method: string, params: object) => new Rig(full, [{ method, params }]).prefill().arm;
const positionsOf = (arm: ReturnType<typeof pressed>) => arm.layers.map((layer) => [0, 1].map((head) => Array.from(layer.positions(head))));
const snapkv = { method: 'snapkv', params: { window: 8 } };
const weights = [0, 1].map((layer) => randomSupplies(TINY, 'rig').weight('o_proj', layer));
const weight = (layer: number) => weights[layer];

/** Both query heads' ||W v||_1, averaged, one product after the other. */
function sizeOf(layer: number, head: number, slot: number): number {
	const value = full.layers[layer].values(head).subarray(slot * d, (slot + 1) * d);
	let total = 0;
	for (const queryHead of [2 * head, 2 * head + 1]) {
		for (let out = 0; out < TINY.hidden; out++) {
			let dot = 0;
			for (let c = 0; c < d; c++) dot += weight(layer)[out * TINY.heads * d + queryHead * d + c] * value[c];
			total += Math.abs(dot) / 2;
		}
	}
	return total;
}

/** Selection of one head by the two stages, from plain numbers. */
function choose(scores: number[], sizes: number[], k: number, rho: number, lift: number): number[] {
	const order = scores.map((_, i) => i).sort((a, b) => scores[b] - scores[a] || a - b);
	const first = order.slice(0, Math.floor(k * rho));
	const rest = order.slice(first.length).sort((a, b) => (scores[b] + lift + 1e-4) * sizes[b] - (scores[a] + lift + 1e-4) * sizes[a] || a - b);
	return [...first, ...rest.slice(0, k - first.length)].sort((a, b) => a - b);
}

function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
	const mean = (x: ArrayLike<number>) => Array.from(x).reduce((sum, v) => sum + v, 0) / x.length;
	const [ma, mb] = [mean(a), mean(b)];
	let [ab, aa, bb] = [0, 0, 0];
	for (let i = 0; i < a.length; i++) {
		ab += (a[i] - ma) * (b[i] - mb);
		aa += (a[i] - ma) ** 2;
		bb += (b[i] - mb) ** 2;
	}
	return ab / Math.sqrt(aa * bb);
}

describe('criticalkv', () => {
	it.each([['ours', true], ['released', false]] as const)('%s keeps what the two stages choose', (variant, lifts) => {
		positionsOf(pressed('criticalkv', { scorer: { method: 'knorm' }, budget: { tokens: 20 }, variant })).forEach((heads, layer) => heads.forEach((kept, head) => {
			const keys = full.layers[layer].keys(head);
			const scores = Array.from({ length: N }, (_, j) => -Math.hypot(...keys.subarray(j * d, (j + 1) * d)));
			const sizes = scores.map((_, j) => sizeOf(layer, head, j));
			expect(kept).toEqual(choose(scores, sizes, 20, 0.5, lifts ? -Math.min(...scores) : 0));
		}));
	});

	it('with the whole budget in the first stage is the scorer; with none is score times size', () => {
		const params = { scorer: { method: 'knorm' }, budget: { tokens: 20 } };
		expect(positionsOf(pressed('criticalkv', { ...params, first_stage_ratio: 1 }))).toEqual(positionsOf(pressed('knorm', { budget: { tokens: 20 } })));
		const none = positionsOf(pressed('criticalkv', { ...params, first_stage_ratio: 0, variant: 'released' }));
		const keys = full.layers[1].keys(0);
		const second = Array.from({ length: N }, (_, j) => (1e-4 - Math.hypot(...keys.subarray(j * d, (j + 1) * d))) * sizeOf(1, 0, j));
		expect(none[1][0]).toEqual(Array.from(topSlots(second, 20)));
	});

	it('over scores that are not negative both variants score the same, bit for bit', () => {
		const byVariant = ['ours', 'released'].map((variant) => {
			const rig = new Rig(full, [{ method: 'criticalkv', params: { scorer: snapkv, budget: { tokens: 20 }, variant } }]);
			return rig.instances[0].score!(rig.arm.layers[0], promptView(full, 0, (queryHead) => rig.queries(0, queryHead))).byHead;
		});
		expect(byVariant[0]).toEqual(byVariant[1]);
		const kept = ['ours', 'released'].map((variant) => positionsOf(pressed('criticalkv', { scorer: snapkv, budget: { tokens: 20 }, variant })));
		expect(kept[0]).toEqual(kept[1]);
	});

	it('over negative scores the released stage two runs against the size, ours with it', () => {
		const scores = Float64Array.from({ length: 200 }, (_, j) => -Math.hypot(...fixtureNormal(`k${j}`, 8)));
		const sizes = Float64Array.from({ length: 200 }, (_, j) => Math.exp(fixtureNormal(`n${j}`, 1)[0]));
		expect(correlation(twoStages(scores, sizes, 50, false).second, sizes)).toBeLessThan(-0.5);
		expect(correlation(twoStages(scores, sizes, 50, true).second, sizes)).toBeGreaterThan(0.5);
	});

	it('ours does not care about a constant below negative scores, the released stage does', () => {
		const scores = Float64Array.from({ length: 80 }, (_, j) => -Math.hypot(...fixtureNormal(`k${j}`, 8)));
		const sizes = Float64Array.from({ length: 80 }, (_, j) => Math.exp(fixtureNormal(`n${j}`, 1)[0]));
		const chosen = (shift: boolean, less: number) => {
			const { marked, second } = twoStages(scores.map((s) => s - less), sizes, 10, shift);
			return Array.from(topSlots(second, 20, marked));
		};
		expect(chosen(true, 64)).toEqual(chosen(true, 0));
		expect(chosen(false, 64)).not.toEqual(chosen(false, 0));
	});

	it('equal values leave the order of the scorer; a projection of zero leaves ties', () => {
		const scores = Float64Array.from(fixtureNormal('s', 40), Math.abs);
		const { marked, second } = twoStages(scores, new Float64Array(40).fill(3), 6, true);
		expect(topSlots(second, 12, marked)).toEqual(topSlots(scores, 12));
		expect(new Set(twoStages(scores, new Float64Array(40), 6, true).second)).toEqual(new Set([0]));
	});

	it('a size scales with its value', () => {
		const values = full.layers[0].values(0);
		const before = projectedSizes(values, d, 0, TINY, weight(0));
		const after = projectedSizes(values.map((x, at) => (at < d ? -2 * x : x)), d, 0, TINY, weight(0));
		expect(after[0]).toBeCloseTo(2 * before[0], 5);
		expect(after.subarray(1)).toEqual(before.subarray(1));
		expect(before[7]).toBeCloseTo(sizeOf(0, 0, 7), 5);
	});

	it('keeps at least as much of attention times size as attention alone, and the output moves no further than the bound', () => {
		for (let head = 0; head < 20; head++) {
			const positions = Array.from({ length: 64 }, (_, i) => i);
			const row = attentionRow(fixtureNormal(`q${head}`, 16), fixtureNormal(`k${head}`, 64 * 16), positions, 64);
			const scale = fixtureNormal(`scale${head}`, 64);
			const values = fixtureNormal(`v${head}`, 64 * 16).map((x, at) => x * Math.exp(1.2 * scale[Math.floor(at / 16)]));
			const sizes = Float64Array.from(positions, (j) => values.subarray(j * 16, (j + 1) * 16).reduce((sum, x) => sum + Math.abs(x), 0));
			const product = (kept: Int32Array) => kept.reduce((sum, j) => sum + (row[j] + 1e-4) * sizes[j], 0);
			const { marked, second } = twoStages(row, sizes, 8, true);
			const [both, alone] = [topSlots(second, 16, marked), topSlots(row, 16)];
			expect(product(both)).toBeGreaterThanOrEqual(product(alone));
			for (const kept of [both, alone]) {
				const mass = kept.reduce((sum, j) => sum + row[j], 0);
				let moved = 0;
				for (let c = 0; c < 16; c++) {
					const exact = row.reduce((all, p, j) => all + p * values[j * 16 + c], 0);
					moved += Math.abs(exact - kept.reduce((all, j) => all + (row[j] / mass) * values[j * 16 + c], 0));
				}
				const all = row.reduce((sum, p, j) => sum + p * sizes[j], 0);
				expect(moved).toBeLessThanOrEqual(all - (2 - 1 / mass) * kept.reduce((sum, j) => sum + row[j] * sizes[j], 0) + 1e-9);
			}
		}
	});

	it('uneven heads have the lengths of Ada-KV and cost as much', () => {
		const uneven = pressed('criticalkv', { scorer: snapkv, budget: { tokens: 20 }, uneven: true });
		const ada = pressed('adakv', { scorer: snapkv, budget: { tokens: 20 } });
		uneven.layers.forEach((layer, l) => [0, 1].forEach((head) => expect(layer.length(head)).toBe(ada.layers[l].length(head))));
		expect(positionsOf(uneven)).not.toEqual(positionsOf(ada));
		expect(uneven.bill().total).toBe(ada.bill().total);
		expectBillIsPacked(uneven);
	});
});
