import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { fixtureNormal } from '$lib/numerics/fixture.ts';
import { random } from '$lib/numerics/random.ts';
import { attentionRow } from '../observe.ts';
import { rowsOf } from '../slots.ts';
import { expectBillIsPacked } from '../testing/untouched.ts';
import { Rig } from '../testing/views.ts';
import { mergeChance, spread } from './cam-press.ts';

const d = TINY.headDim;
const N = 40;
const rigOf = (params: object, name = 'rig') => new Rig(randomArm(N), [{ method: 'cam-press', params: { scorer: { method: 'knorm' }, ...params } }], name).prefill();
const open = new Uint8Array(30).fill(1);

describe('mergeChance', () => {
	it('is the share of attention, within 0 and 1', () => {
		expect(mergeChance(1, [1, 3])).toBe(0.5);
		expect(mergeChance(9, [1, 3])).toBe(1);
		expect(mergeChance(0, [0, 0])).toBe(0);
		expect(mergeChance(2, [0, 0])).toBe(1);
	});
});

describe('spread', () => {
	const values = fixtureNormal('values', 30 * d);
	const kept = Int32Array.from([2, 5, 9, 14, 20]);

	it('adds the value in equal parts to the next kept slots: the parts sum to it', () => {
		const received = new Float64Array(30).fill(1);
		const merges = spread(values, d, kept, [3], received, 3, random(1), open);
		expect(merges.map(({ into }) => into)).toEqual([5, 9, 14]);
		for (let c = 0; c < d; c++) {
			const added = merges.reduce((sum, { into, value }) => sum + value[c] - values[into * d + c], 0);
			expect(added).toBeCloseTo(values[3 * d + c], 5);
		}
		expect(spread(values, d, kept, [17], received, 3, random(1), open)[0].weights).toEqual([1]);
		expect(spread(values, d, kept, [25], received, 3, random(1), open)).toEqual([]);
	});

	it('merges nothing that got no attention', () => {
		expect(spread(values, d, kept, [3, 4, 6], new Float64Array(30), 3, random(1), open)).toEqual([]);
	});

	it('merges as often as the chance says', () => {
		const received = Float64Array.from({ length: 30 }, (_, slot) => (slot === 3 ? 0.25 : 1));
		const lots = random('often');
		let merged = 0;
		for (let i = 0; i < 4000; i++) if (spread(values, d, kept, [3], received, 3, lots, open).length) merged++;
		expect(merged / 4000).toBeGreaterThan(0.22);
		expect(merged / 4000).toBeLessThan(0.28);
	});

	it('moves the output less than eviction does, on average, where values are alike', () => {
		let [byMerge, byEviction] = [0, 0];
		for (let trial = 0; trial < 200; trial++) {
			const common = fixtureNormal(`common${trial}`, d);
			const v = fixtureNormal(`v${trial}`, 12 * d).map((x, at) => 0.3 * x + common[at % d]);
			const keys = fixtureNormal(`k${trial}`, 12 * d);
			const query = fixtureNormal(`q${trial}`, d);
			const positions = Array.from({ length: 12 }, (_, i) => i);
			const row = attentionRow(query, keys, positions, 12);
			// Without a second softmax: what is lost is the evicted slot's share of the output.
			const read = (block: Float32Array) => Array.from({ length: d }, (_, c) => positions.reduce((sum, j) => sum + row[j] * block[j * d + c], 0));
			const without = v.slice().fill(0, 4 * d, 5 * d);
			const merged = without.slice();
			for (const { into, value } of spread(v, d, Int32Array.from(positions.filter((p) => p !== 4)), [4], row, 4, random(trial), open)) merged.set(value, into * d);
			const exact = read(v);
			const off = (block: Float32Array) => Math.hypot(...read(block).map((x, c) => x - exact[c]));
			byMerge += off(merged);
			byEviction += off(without);
		}
		expect(byMerge).toBeLessThan(byEviction);
	});
});

describe('cam-press', () => {
	it('leaves the prompt alone, then holds T to T + N slots, the same tokens in all heads', () => {
		const rig = rigOf({ budget: { tokens: 20 }, interval: 4 });
		for (const layer of rig.arm.layers) expect(layer.length(0)).toBe(N);
		for (let step = 1; step <= 17; step++) {
			rig.decode();
			for (const layer of rig.arm.layers) {
				expect(layer.positions(0)).toEqual(layer.positions(1));
				if (step >= 4) expect(layer.length(0)).toBe(20 + (step % 4));
			}
			expectBillIsPacked(rig.arm);
		}
		expect(rig.arm.bill().items.state).toBe(4 * 21 * TINY.layers * TINY.kvHeads);
	});

	it('follows a plain simulation with the same lots', () => {
		const rig = rigOf({ budget: { tokens: 30 }, interval: 2, merge_budget: 3 });
		const state = rig.arm.layers.map((layer, l) => [0, 1].map((head) => ({
			slots: Array.from({ length: N }, (_, p) => ({ p, value: rowsOf(layer.values(head), [p], d), received: 0 })),
			lots: random('rig').fork(`cam ${l}/${head}`)
		})));
		for (let step = 1; step <= 8; step++) {
			rig.decode();
			const position = N + step - 1;
			rig.arm.layers.forEach((layer, l) => {
				state[l].forEach(({ slots }, head) => {
					slots.push({ p: position, value: fixtureNormal(`rig/v${l}.${head}.${position}`, d), received: 0 });
					const before = slots.reduce((sum, slot) => sum + slot.received, 0);
					slots.forEach((slot, i) => (slot.received += (rig.lastAttention[l][2 * head][i] + rig.lastAttention[l][2 * head + 1][i]) / 2));
					expect(slots.reduce((sum, slot) => sum + slot.received, 0)).toBeCloseTo(before + 1, 5);
				});
				if (step % 2) return;
				const scores = keyScores(rig, l, position);
				const order = [...scores].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
				const kept = new Set(order.slice(0, 30).map(([p]) => p));
				const gone = order.slice(30).sort((a, b) => b[1] - a[1] || b[0] - a[0]).map(([p]) => p);
				state[l].forEach((head) => {
					for (const p of gone.slice(0, 2)) {
						const from = head.slots.find((slot) => slot.p === p)!;
						const window = head.slots.filter((slot) => slot.p > p && kept.has(slot.p)).slice(0, 3);
						if (window.length === 0) continue;
						const mean = window.reduce((sum, slot) => sum + slot.received, 0) / window.length;
						if (head.lots.uniform() >= Math.min(1, from.received / mean)) continue;
						for (const into of window) into.value = into.value.map((x, c) => x + from.value[c] / window.length);
					}
					head.slots = head.slots.filter((slot) => kept.has(slot.p));
				});
			});
			rig.arm.layers.forEach((layer, l) => state[l].forEach(({ slots }, head) => {
				expect(Array.from(layer.positions(head))).toEqual(slots.map(({ p }) => p));
				const values = layer.values(head);
				slots.forEach(({ value }, i) => value.forEach((x, c) => expect(values[i * d + c]).toBeCloseTo(x, 5)));
			}));
		}
		expect(rig.arm.records.some(({ verb }) => verb === 'merge')).toBe(true);
	});
});

/** Minus the length of the key, averaged over the heads, of every token that was there at the step. */
function keyScores(rig: Rig, layer: number, position: number): Map<number, number> {
	const record = rig.arm.records.filter((each) => each.layer === layer && each.head === 0 && each.decision).at(-1)!;
	expect(record.decision!.positions.at(-1)).toBe(position);
	return new Map(Array.from(record.decision!.positions, (p): [number, number] => [p, -[0, 1].reduce((sum, head) => sum + keyLength(rig, layer, head, p), 0) / 2]));
}

function keyLength(rig: Rig, layer: number, head: number, position: number): number {
	if (position >= N) return Math.hypot(...fixtureNormal(`rig/k${layer}.${head}.${position}`, d));
	return Math.hypot(...rig.full.layers[layer].keys(head).subarray(position * d, (position + 1) * d));
}
