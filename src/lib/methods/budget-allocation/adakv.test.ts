import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LayerCache } from '$lib/cache/types.ts';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { topSlots } from '../select.ts';
import { Rig } from '../testing/views.ts';
import { allocate } from './adakv.ts';

/** A layer that only knows its lengths; nothing is protected. */
const lengths = (...sizes: number[]) =>
	({ kvHeads: sizes.length, length: (head: number) => sizes[head], protectedSlots: (head: number) => new Uint8Array(sizes[head]) }) as unknown as LayerCache;

const cases = fc
	.record({ n: fc.integer({ min: 2, max: 40 }), heads: fc.integer({ min: 1, max: 4 }), seed: fc.integer() })
	.chain(({ n, heads }) =>
		fc.record({
			n: fc.constant(n),
			scores: fc.array(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: n, maxLength: n }), { minLength: heads, maxLength: heads }),
			m: fc.integer({ min: 1, max: n }),
			alpha: fc.constantFrom(0, 0.2, 0.5, 1)
		})
	);

describe('allocate', () => {
	it('keeps exactly H x m slots, at least trunc(alpha m) in each head, and no kept slot below an evicted one but the safe', () => {
		fc.assert(
			fc.property(cases, ({ n, scores, m, alpha }) => {
				const byHead = scores.map((row) => Float64Array.from(row));
				const { kept, safe } = allocate(lengths(...scores.map(() => n)), { byHead, meaning: '' }, m, alpha);
				expect(kept.reduce((sum, slots) => sum + slots.length, 0)).toBe(m * scores.length);
				let least = Infinity;
				let most = -Infinity;
				kept.forEach((slots, head) => {
					expect(slots.length).toBeGreaterThanOrEqual(Math.trunc(alpha * m));
					const stays = new Set(slots);
					byHead[head].forEach((score, slot) => {
						if (!stays.has(slot)) most = Math.max(most, score);
						else if (!safe[head][slot]) least = Math.min(least, score);
					});
				});
				expect(least).toBeGreaterThanOrEqual(most);
			})
		);
	});

	it('with alpha 1, or with one head, is the top m of each head', () => {
		fc.assert(
			fc.property(cases, ({ n, scores, m }) => {
				const byHead = scores.map((row) => Float64Array.from(row));
				const { kept } = allocate(lengths(...scores.map(() => n)), { byHead, meaning: '' }, m, 1);
				expect(kept).toEqual(byHead.map((row) => topSlots(row, m)));
				const alone = allocate(lengths(n), { byHead: [byHead[0]], meaning: '' }, m, 0.2);
				expect(alone.kept[0]).toEqual(topSlots(byHead[0], m));
			})
		);
	});
});

describe('adakv', () => {
	it('gives heads different lengths, pays for offsets, and keeps as much in all as equal heads', () => {
		const arm = new Rig(randomArm(60), [{ method: 'adakv', params: { budget: { tokens: 20 }, scorer: { method: 'snapkv', params: { window: 4 } } } }]).prefill().arm;
		expect(arm.layers.every((layer) => layer.length(0) !== layer.length(1))).toBe(true);
		for (const layer of arm.layers) {
			expect(layer.length(0) + layer.length(1)).toBe(40);
			expect(Math.min(layer.length(0), layer.length(1))).toBeGreaterThanOrEqual(4);
		}
		expect(arm.bill().items.indices).toBe(TINY.layers * 4 * (TINY.kvHeads + 1));
	});

	it('at 25 % costs 25 % of the full cache, within 1 %, and its indices', () => {
		const full = randomArm(400);
		const { items, total } = new Rig(randomArm(400), [{ method: 'adakv', params: { budget: { fraction: 0.25 } } }]).prefill().arm.bill();
		expect(items.positions).toBeGreaterThan(0);
		expect(Math.abs((total - items.positions - items.indices) / full.bill().total - 0.25)).toBeLessThanOrEqual(0.01);
	});

	it('in bytes stays within them', () => {
		for (const bytes of [2000, 3001, 5555]) {
			const arm = new Rig(randomArm(60), [{ method: 'adakv', params: { budget: { bytes }, scorer: { method: 'knorm' } } }]).prefill().arm;
			const { total } = arm.bill();
			expect(total).toBeLessThanOrEqual(bytes);
			expect(total).toBeGreaterThan(bytes - TINY.layers * TINY.kvHeads * (4 * TINY.headDim + 2));
		}
	});
});
