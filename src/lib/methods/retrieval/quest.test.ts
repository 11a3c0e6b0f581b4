import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { fixtureNormal } from '$lib/numerics/fixture.ts';
import { topSlots } from '../select.ts';
import { Rig } from '../testing/views.ts';
import { noPages, pageCount, updatePages, upperBounds } from './pages.ts';

const d = TINY.headDim;
const positions = (n: number) => Int32Array.from({ length: n }, (_, i) => i);
const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((sum, x, i) => sum + x * b[i], 0);
const random = (seed: number, count: number) => fixtureNormal(`quest/${seed}`, count);

describe('pages', () => {
	it('bound every logit of the page from above', () => {
		fc.assert(
			fc.property(fc.nat(1e6), fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 9 }), (seed, n, size) => {
				const keys = random(seed, n * d);
				const query = random(seed + 1, d);
				const upper = upperBounds(updatePages(noPages(size, d), positions(n), keys), query);
				expect(upper).toHaveLength(Math.ceil(n / size));
				for (let j = 0; j < n; j++) {
					expect(upper[Math.floor(j / size)]).toBeGreaterThanOrEqual(dot(query, keys.subarray(j * d, (j + 1) * d)) - 1e-9);
				}
			})
		);
	});

	it('of one token have the logit itself as bound, so the choice is the exact top k', () => {
		const keys = random(1, 30 * d);
		const query = random(2, d);
		const logits = Array.from({ length: 30 }, (_, j) => dot(query, keys.subarray(j * d, (j + 1) * d)));
		const upper = upperBounds(updatePages(noPages(1, d), positions(30), keys), query);
		upper.forEach((bound, j) => expect(bound).toBeCloseTo(logits[j], 9));
		expect(topSlots(upper, 7)).toEqual(topSlots(logits, 7));
	});

	it('grown token by token are the same as made at once; a changed past is read anew', () => {
		const keys = random(3, 30 * d);
		let grown = noPages(4, d);
		for (let n = 1; n <= 30; n++) grown = updatePages(grown, positions(n), keys.subarray(0, n * d));
		expect(grown).toEqual(updatePages(noPages(4, d), positions(30), keys));
		const gone = Int32Array.from([...positions(30)].filter((p) => p !== 5));
		const left = Float32Array.from([...keys.subarray(0, 5 * d), ...keys.subarray(6 * d)]);
		expect(updatePages(grown, gone, left)).toEqual(updatePages(noPages(4, d), gone, left));
	});
});

describe('quest', () => {
	const N = 61;
	const rigOf = (params: object) => new Rig(randomArm(N), [{ method: 'quest', params: { page: 4, exempt: 0, ...params } }]).prefill();

	it('shows the best pages and the one being filled, and never evicts', () => {
		const rig = rigOf({ budget: { tokens: 20 } });
		for (let step = 0; step < 12; step++) {
			rig.decode();
			for (const layer of rig.arm.layers) {
				for (let head = 0; head < TINY.kvHeads; head++) {
					const n = layer.length(head);
					expect(n).toBe(N + step + 1);
					const bounds = updatePages(noPages(4, d), layer.positions(head), layer.keys(head));
					const queries = [2 * head, 2 * head + 1].map((h) => fixtureNormal(`rig/sq${layer.layer}.${h}.${N + step}`, d));
					const upper = upperBounds(bounds, queries[0]).map((bound, page) => Math.max(bound, upperBounds(bounds, queries[1])[page]));
					const last = new Uint8Array(pageCount(bounds));
					last[last.length - 1] = 1;
					const chosen = new Set(topSlots(upper, 5, last));
					const hidden = layer.hidden(head);
					for (let slot = 0; slot < n; slot++) expect(hidden[slot]).toBe(chosen.has(Math.floor(slot / 4)) ? 0 : 1);
				}
			}
		}
	});

	it('reads at least three pages', () => {
		const rig = rigOf({ budget: { tokens: 1 } });
		rig.decode();
		const hidden = rig.arm.layers[0].hidden(0);
		expect(hidden.filter((flag) => !flag).length).toBeGreaterThan(2 * 4);
		expect(hidden.filter((flag) => !flag).length).toBeLessThanOrEqual(3 * 4);
	});

	it('with pages for all hides nothing', () => {
		const rig = rigOf({ budget: { tokens: 200 } });
		for (let step = 0; step < 5; step++) rig.decode();
		expect(rig.arm.layers.every((layer) => layer.hidden(0).every((flag) => !flag))).toBe(true);
		expect(rig.arm.records).toEqual([]);
	});

	it('leaves the exempt layers alone and pays 4 d bytes a page in the others', () => {
		const rig = rigOf({ budget: { tokens: 20 }, exempt: 1 });
		rig.decode();
		expect(rig.arm.layers[0].hidden(0).some((flag) => flag)).toBe(false);
		expect(rig.arm.layers[1].hidden(0).some((flag) => flag)).toBe(true);
		expect(rig.arm.bill().items.state).toBe(Math.ceil((N + 1) / 4) * 4 * d * TINY.kvHeads);
	});

	it('the mean over the group may choose other pages than the largest', () => {
		const visible = (group: string) => {
			const rig = rigOf({ budget: { tokens: 20 }, group });
			for (let step = 0; step < 5; step++) rig.decode();
			return rig.arm.layers.map((layer) => Array.from(layer.hidden(0)).join(''));
		};
		expect(visible('mean')).not.toEqual(visible('max'));
	});
});
