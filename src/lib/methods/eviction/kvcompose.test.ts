import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import type { ModelShape } from '$lib/documents/trace.ts';
import { random } from '$lib/numerics/random.ts';
import { keyOf, readingOf, Requests } from '../requests.ts';
import { readMethodSpec, startMethod } from '../start.ts';
import { GOLDEN, goldenArm, goldenIds, GoldenModel } from '../testing/golden-model.ts';
import { randomReadings } from '../testing/readings.ts';
import { promptView, Rig } from '../testing/views.ts';
import { composedBudgets, composites } from './kvcompose.ts';

const N = 50;
const list = (count: number) => Array.from({ length: count }, (_, i) => i);
const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
const pressed = (params: object, shape: ModelShape = TINY, n = N) => new Rig(randomArm(n, shape), [{ method: 'kvcompose', params }]).prefill();
const lengths = (rig: Rig) => rig.arm.layers.map((layer) => list(layer.kvHeads).map((head) => layer.length(head)));

/** Each head's scores, from what each reading of the prompt gave: [layer][head][token]. */
function scoresByHand(rig: Rig, { take = 'max', lengths = false, mean = true }): number[][][] {
	const { shape } = rig;
	const made = randomReadings(rig.full, rig.requests.readings, rig.name);
	const group = shape.heads / shape.kvHeads;
	return list(shape.layers).map((l) => {
		const views = [...rig.requests.readings.keys()].map((key) => made[l].get(key)!);
		const own = list(shape.kvHeads).map((head) => list(N).map((j) => sum(list(group).map((g) => {
			const paid = views.map((view) => view.columns(head * group + g)[j]);
			const norm = Math.hypot(...rig.full.layers[l].values(head).subarray(j * shape.headDim, (j + 1) * shape.headDim));
			const all = take === 'max' ? Math.max(...paid) : sum(paid.map((p, i) => p * views[i].n)) / N;
			return (all * (lengths ? norm : 1)) / group;
		}))));
		return own.map((row) => row.map((value, j) => value + (mean ? sum(own.map((other) => other[j])) / own.length : 0)));
	});
}

/** How many composites each layer keeps: one list of (layer, rank) pairs, sorted. */
function budgetsByHand(scores: number[][][], total: number, n = N): number[] {
	const lines = scores.map((heads) => {
		const sorted = heads.map((row) => [...row].sort((a, b) => b - a));
		return list(n).map((i) => sum(sorted.map((row) => row[i])) / heads.length);
	});
	lines[0] = list(n).map((i) => Math.max(...lines.map((line) => line[i])));
	const pairs = lines.flatMap((line, layer) => line.map((score, rank) => ({ layer, score: rank === 0 ? Infinity : score })));
	pairs.sort((a, b) => b.score - a.score || a.layer - b.layer);
	return scores.map((_, l) => pairs.slice(0, total).filter(({ layer }) => layer === l).length);
}

describe('kvcompose', () => {
	it.each([
		[{}, {}], [{ over_readers: 'mean' }, { take: 'mean' }], [{ value_length: true, add_mean: false }, { lengths: true, mean: false }]
	])('keeps in each head as many of its own best as its layer has composites, with %o', (params, rules) => {
		for (const fraction of [0.5, 0.15]) {
			const rig = pressed({ ...params, budget: { fraction } });
			const scores = scoresByHand(rig, rules);
			const budgets = budgetsByHand(scores, Math.trunc(2 * N * fraction));
			expect(lengths(rig)).toEqual(budgets.map((m) => [m, m]));
			rig.arm.layers.forEach((layer, l) => scores[l].forEach((row, head) => {
				const best = list(N).sort((a, b) => row[b] - row[a]).slice(0, budgets[l]).sort((a, b) => a - b);
				expect(Array.from(layer.positions(head))).toEqual(best);
			}));
		}
	});

	it('keeps trunc(L n (1 - r)) composites in all, and no layer more than the first', () => {
		for (const layers of [2, 3, 5]) for (const fraction of [0.5, 0.3, 0.17]) {
			const found = lengths(pressed({ budget: { fraction } }, { ...TINY, layers }));
			for (const heads of found) expect(new Set(heads).size).toBe(1);
			const budgets = found.map(([m]) => m);
			expect(sum(budgets)).toBe(Math.trunc(layers * N * fraction));
			expect(budgets[0]).toBe(Math.max(...budgets));
		}
	});

	it('shares out half of 96 tokens among the 4 layers of a model that reads them twice', () => {
		const n = 96;
		const model = new GoldenModel();
		const full = goldenArm(model.prefill(goldenIds().slice(0, n)));
		const requests = new Requests();
		const text = { ids: goldenIds().slice(0, n), encode: () => [], embedding: () => new Float32Array() };
		const method = startMethod(readMethodSpec({ method: 'kvcompose', params: { budget: { fraction: 0.5 } } }), { model: GOLDEN, random: random(0), promptTokens: n, text, requests });
		const made = model.read(full, requests.readings);
		const arm = full.fork();
		method.prefilledAll!(arm.layers, arm.layers.map((_, l) => ({ ...promptView(full, l, () => []), reading: (reading) => readingOf(made[l], reading) })));

		// Attention of the second half of the text, written twice, over the first.
		const twice = model.prefill([...text.ids, ...text.ids]);
		const { layers, heads, kvHeads, headDim: d } = GOLDEN;
		const scores = list(layers).map((l) => {
			const most = list(heads).map((h) => {
				const best = list(n).map(() => 0);
				const key = (j: number) => (Math.floor((h * kvHeads) / heads) * 2 * n + j) * d;
				for (const t of list(n).map((i) => n + i)) {
					const weights = list(t + 1).map((j) => Math.exp(sum(list(d).map((c) => twice.queries[l][(h * 2 * n + t) * d + c] * twice.keys[l][key(j) + c])) / Math.sqrt(d)));
					const total = sum(weights);
					best.forEach((before, j) => (best[j] = Math.max(before, weights[j] / total)));
				}
				return best;
			});
			const own = list(kvHeads).map((head) => list(n).map((j) => (most[2 * head][j] + most[2 * head + 1][j]) / 2));
			return own.map((row) => row.map((value, j) => value + sum(own.map((other) => other[j])) / kvHeads));
		});
		const budgets = budgetsByHand(scores, 192, n);
		expect(sum(budgets)).toBe(192);
		expect(budgets[0]).toBe(Math.max(...budgets));
		expect(arm.layers.map((layer) => list(kvHeads).map((head) => layer.length(head)))).toEqual(budgets.map((m) => [m, m]));
	});

	it('is plain top-k of each layer\'s attention where there is one head and nothing is added', () => {
		const shape = { ...TINY, layers: 1, heads: 1, kvHeads: 1 };
		const rig = pressed({ add_mean: false, budget: { tokens: 13 } }, shape);
		const [[row]] = scoresByHand(rig, { mean: false });
		expect(Array.from(rig.arm.layers[0].positions(0))).toEqual(list(N).sort((a, b) => row[b] - row[a]).slice(0, 13).sort((a, b) => a - b));
	});

	it('lets heads compete for themselves where it is not structured', () => {
		const found = lengths(pressed({ structured: false, budget: { fraction: 0.3 } }));
		expect(sum(found.flat())).toBe(Math.trunc(4 * N * 0.3));
		expect(new Set(found.flat()).size).toBeGreaterThan(1);
	});

	it('reads the prompt again, its own copy in view, in pieces where the context is short', () => {
		const readings = (context: number) => [...new Rig(randomArm(N, { ...TINY, context }), [{ method: 'kvcompose' }]).requests.readings.values()];
		const ids = list(N).map((i) => (7 * i) % TINY.vocab);
		expect(readings(256)).toEqual([{ ids, over: 'prompt', columns: { take: 'max', own: true } }]);
		expect(readings(85).map((reading) => reading.ids)).toEqual([ids.slice(0, 35), ids.slice(35)]);
		expect(new Set(readings(85).map(keyOf)).size).toBe(2);
		for (const take of ['max', 'mean']) {
			const rig = pressed({ over_readers: take, budget: { tokens: 20 } }, { ...TINY, context: 85 });
			const scores = scoresByHand(rig, { take });
			expect(lengths(rig).map(([m]) => m)).toEqual(budgetsByHand(scores, 40));
		}
	});

	it('puts the i-th best of all heads together, and leaves every layer its least', () => {
		expect(Array.from(composites([Float64Array.of(1, 5, 3), Float64Array.of(4, 0, 2)]))).toEqual([4.5, 2.5, 0.5]);
		expect(Array.from(composites([Float64Array.of(1, 5, 3), Float64Array.of(4)]))).toEqual([4.5, 3, 1]);
		const [rich, poor] = [Float64Array.of(9, 8, 7, 6), Float64Array.of(4, 3, 2, 1)];
		expect(composedBudgets([rich, poor], 4, 1)).toEqual([3, 1]);
		expect(composedBudgets([rich, poor], 4, 2)).toEqual([2, 2]);
		expect(composedBudgets([rich, poor], 4, 50)).toEqual([2, 2]);
		// The first layer goes by the best of all, and has the first pick.
		expect(composedBudgets([poor, rich], 5, 1)).toEqual([3, 2]);
		expect(composedBudgets([poor, rich, poor], 3, 1)).toEqual([1, 1, 1]);
	});
});
