import { describe, expect, it } from 'vitest';
import { ArmCache } from '$lib/cache/arm-cache.ts';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { random } from '$lib/numerics/random.ts';
import { Requests } from '../requests.ts';
import { readMethodSpec, startMethod } from '../start.ts';
import { randomSupplies } from '../testing/supplies.ts';
import { promptView, Rig } from '../testing/views.ts';
import { alongQueries } from './qfilters.ts';

const N = 40;
const { headDim: d, kvHeads } = TINY;
const full = randomArm(N);
const { filters } = randomSupplies(TINY, 'rig').shipped('q-filters');
const filterOf = (layer: number, head: number) => Array.from(filters.subarray((layer * kvHeads + head) * d, (layer * kvHeads + head + 1) * d));
const product = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((sum, x, c) => sum + x * b[c], 0);
const order = (x: ArrayLike<number>) => Array.from(x, (_, j) => j).sort((a, b) => x[b] - x[a]);

describe('qfilters', () => {
	it('is minus the product of key and filter', () => {
		const requests = new Requests();
		requests.supply(randomSupplies(TINY, 'rig'));
		const instance = startMethod(readMethodSpec({ method: 'qfilters' }), { model: TINY, random: random(1), promptTokens: N, requests });
		full.layers.forEach((layer, l) => instance.score!(layer, promptView(full, l, () => [])).byHead.forEach((row, head) => {
			expect(row).toHaveLength(N);
			row.forEach((score, j) => expect(score).toBeCloseTo(-product(filterOf(l, head), layer.keys(head).subarray(j * d, (j + 1) * d)), 12));
		}));
	});

	it('is linear in the key', () => {
		const [a, b] = [0.7, -1.9];
		const keys = full.layers[0].keys(0);
		const sum = keys.slice(0, d).map((x, c) => Math.fround(a * x + b * keys[d + c]));
		const arm = ArmCache.fromPrompt({
			shape: TINY, n: 1, rope: full.rope,
			keys: () => Float32Array.from([...sum, ...sum]), values: () => new Float32Array(kvHeads * d)
		});
		const [single] = alongQueries(full.layers[0], filters);
		expect(alongQueries(arm.layers[0], filters)[0][0]).toBeCloseTo(a * single[0] + b * single[1], 5);
	});

	it('ranks the other way round with the filters turned round', () => {
		for (const layer of full.layers) {
			const [there, back] = [filters, filters.map((x) => -x)].map((each) => alongQueries(layer, each));
			there.forEach((row, head) => expect(order(back[head])).toEqual(order(row).reverse()));
		}
	});

	it('keeps the newest tokens with a window, and the newest of them where the budget is smaller', () => {
		const positions = (params: object) => new Rig(full, [{ method: 'qfilters', params }]).prefill().arm.layers.map((layer) => Array.from(layer.positions(1)));
		for (const kept of positions({ budget: { tokens: 12 }, window: 5 })) {
			expect(kept).toHaveLength(12);
			expect(kept.slice(-5)).toEqual([35, 36, 37, 38, 39]);
		}
		for (const kept of positions({ budget: { tokens: 3 }, window: 5 })) expect(kept).toEqual([37, 38, 39]);
	});

	it('with decode holds the budget at every step by the same score; without it grows', () => {
		const held = new Rig(full, [{ method: 'qfilters', params: { budget: { tokens: 12 }, window: 4, decode: true } }]).prefill();
		const grows = new Rig(full, [{ method: 'qfilters', params: { budget: { tokens: 12 } } }]).prefill();
		for (let step = 0; step < 10; step++) {
			const before = held.arm.layers.map((layer) => [0, 1].map((head) => Array.from(layer.positions(head))));
			held.decode();
			grows.decode();
			held.arm.layers.forEach((layer, l) => [0, 1].forEach((head) => {
				const kept = Array.from(layer.positions(head));
				expect(kept).toHaveLength(12);
				expect(kept.slice(-4)).toEqual([0, 1, 2, 3].map((i) => N + step - 3 + i));
				const gone = [...before[l][head], N + step].find((position) => !kept.includes(position))!;
				// What went is the least of those that the window does not hold; its key is still in the full cache if it was the prompt's.
				const keys = full.layers[l].keys(head);
				if (gone >= N) return;
				const score = -product(filterOf(l, head), keys.subarray(gone * d, (gone + 1) * d));
				alongQueries(layer, filters)[head].subarray(0, 8).forEach((other) => expect(other).toBeGreaterThanOrEqual(score));
			}));
			expect(grows.arm.layers[0].length(0)).toBe(13 + step);
		}
	});
});
