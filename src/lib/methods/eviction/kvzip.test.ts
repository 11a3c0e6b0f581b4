import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { fixtureNormal } from '$lib/numerics/fixture.ts';
import { keepAcross } from '../across.ts';
import { largest, paidBySlot, pieces } from '../again.ts';
import type { StartContext } from '../define.ts';
import { projectedLengths } from '../projected.ts';
import { Rig } from '../testing/views.ts';

const N = 60;
const rigOf = (params: object, n = N) => new Rig(randomArm(n), [{ method: 'kvzip', params }]).prefill();
const lengths = (rig: Rig) => rig.arm.layers.map((layer) => [0, 1].map((head) => layer.length(head)));
const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);

describe('kvzip', () => {
	it('evicts trunc(L H n r) over all layers and heads, or trunc(H n r) in each layer', () => {
		for (const fraction of [0.5, 0.3, 0.17]) {
			const all = TINY.layers * TINY.kvHeads * N;
			const across = lengths(rigOf({ budget: { fraction } }));
			expect(sum(across.flat())).toBe(all - Math.trunc(all * (1 - fraction)));
			expect(new Set(across.flat()).size).toBeGreaterThan(1);
			for (const layer of lengths(rigOf({ budget: { fraction }, layerwise: true }))) {
				expect(sum(layer)).toBe(2 * N - Math.trunc(2 * N * (1 - fraction)));
			}
		}
	});

	it('keeps the first tokens, which the released variant does not', () => {
		const firsts = (variant: string) => rigOf({ budget: { fraction: 0.1 }, variant }).arm.layers.flatMap((layer) => [0, 1].map((head) => Array.from(layer.positions(head)).filter((p) => p < 4).length));
		expect(firsts('ours')).toEqual([4, 4, 4, 4]);
		expect(sum(firsts('released'))).toBeLessThan(16);
	});

	it('reads pieces that fit behind the prompt, each after its introduction', () => {
		const context = (n: number, all: number) => ({ model: { ...TINY, context: all }, text: { ids: Array.from({ length: n }, (_, i) => i) } }) as unknown as StartContext;
		expect(pieces(context(100, 1000), 2048, () => [])).toEqual([{ from: 0, to: 100, before: [] }]);
		expect(pieces(context(100, 150), 2048, (from) => (from ? [1, 2] : []))).toEqual([
			{ from: 0, to: 50, before: [] }, { from: 50, to: 98, before: [1, 2] }, { from: 98, to: 100, before: [1, 2] }
		]);
		// No room for 32 tokens: the lab refuses the reading.
		expect(pieces(context(100, 110), 2048, () => []).map(({ from, to }) => to - from)).toEqual([32, 32, 32, 4]);
		expect(pieces(context(3, 4), 2048, () => [])[0]).toEqual({ from: 0, to: 3, before: [] });
	});

	it('scores are between 0 and 1, and those of pieces come from the piece that holds the token', () => {
		const rig = new Rig(randomArm(N), [{ method: 'kvzip', params: { chunk: 25, budget: { fraction: 0.5 } } }]);
		expect([...rig.requests.readings.values()].map(({ ids, columns }) => [ids.length, columns!.among])).toEqual([
			[25, { sinks: 0, from: 0, to: 25 }], [25, { sinks: 4, from: 25, to: 50 }], [10, { sinks: 4, from: 50, to: 60 }]
		]);
		rig.prefill();
		const scores = rig.arm.records.map(({ decision }) => decision!.scores);
		expect(scores.length).toBe(4);
		for (const row of scores) expect(row.every((score) => score > 0 && score <= 1)).toBe(true);
	});

	it('takes the largest over the heads of a group, times a factor of each', () => {
		const layer = randomArm(3).layers[0];
		const columns = [[0.1, 0.2, 0.3], [0.3, 0.1, 0.2], [1, 1, 1], [0, 0, 2]];
		expect(paidBySlot(layer, TINY, (h) => columns[h], largest).map((row) => Array.from(row))).toEqual([[0.3, 0.2, 0.3], [1, 1, 2]]);
		const doubled = paidBySlot(layer, TINY, (h) => columns[h], largest, (h) => [1, h, 1]);
		expect(Array.from(doubled[0])).toEqual([0.3, 0.1, 0.3]);
	});

	it('scores the rounds of a small memory, though all of the text was repeated', () => {
		const { arm } = new Rig(randomArm(N), [{ method: 'block-press', params: { scorer: { method: 'kvzip', params: { chunk: 25 } }, budget: { tokens: 7 }, block: 9 } }]).prefill();
		for (const layer of arm.layers) expect([layer.length(0), layer.length(1)]).toEqual([7, 7]);
	});

	it('does not depend on a question: the readings are of the prompt alone', () => {
		const rig = new Rig(randomArm(N), [{ method: 'kvzip' }]);
		expect([...rig.requests.readings.values()].flatMap(({ ids }) => [...ids])).toEqual(Array.from({ length: N }, (_, i) => (7 * i) % TINY.vocab));
	});
});

it('the length behind the output projection is that of W v', () => {
	const [hidden, heads, d] = [12, 3, 5];
	const [output, values] = [fixtureNormal('wo', hidden * heads * d), fixtureNormal('v', 4 * d)];
	for (let head = 0; head < heads; head++) {
		projectedLengths(output, head, heads, values, d).forEach((found, row) => {
			const out = Array.from({ length: hidden }, (_, o) => sum(Array.from({ length: d }, (_, c) => output[o * heads * d + head * d + c] * values[row * d + c])));
			expect(found).toBeCloseTo(Math.hypot(...out), 10);
		});
	}
});

describe('one cut for all heads', () => {
	it('keeps exactly the best, whatever layer and head they are in, but one a head and the protected', () => {
		const arm = randomArm(20);
		arm.layers[0].protect([3], 'by hand');
		const scores = arm.layers.map((_, l) => ({ byHead: [0, 1].map((h) => Float64Array.from(fixtureNormal(`s${l}${h}`, 20), (x) => x - 5 * l)), meaning: 'drawn' }));
		keepAcross(arm.layers, scores, 30);
		const kept = arm.layers.map((layer) => [0, 1].map((head) => Array.from(layer.positions(head))));
		expect(sum(kept.flat().map((each) => each.length))).toBe(30);
		expect(kept[0].every((positions) => positions.includes(3))).toBe(true);
		expect(kept[1].map((positions) => positions.length)).toEqual([1, 1]);
		kept[1].forEach(([position], head) => expect(scores[1].byHead[head][position]).toBe(Math.max(...scores[1].byHead[head])));
	});
});
