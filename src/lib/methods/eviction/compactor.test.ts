import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { random } from '$lib/numerics/random.ts';
import { readMethodSpec, startMethod } from '../start.ts';
import { promptView, Rig } from '../testing/views.ts';
import { leverageOf } from './leverage-score.ts';
import { chunkAttention } from './non-causal-attention.ts';

const N = 50;
const full = randomArm(N);
const rig = new Rig(full, []);
const seen = promptView(full, 0, (h) => rig.queries(0, h));
const [layer] = full.layers;
const scoresOf = (params: object) =>
	startMethod(readMethodSpec({ method: 'compactor', params: { sketch: 64, chunk: 16, ...params } }), { model: TINY, random: random(1), promptTokens: N }).score!(layer, seen);
const order = (x: ArrayLike<number>) => Array.from(x, (_, j) => j).sort((a, b) => x[b] - x[a]);

describe('compactor', () => {
	it('with weight 0 is non-causal attention on the slice', () => {
		const { byHead } = scoresOf({ blend: 'fixed', blending: 0 });
		chunkAttention(layer, seen, 16, false, 8, 4).forEach((row, head) => expect(byHead[head].subarray(8, N - 4)).toEqual(row));
	});

	it('with nothing protected and a huge weight ranks as leverage does', () => {
		const { byHead } = scoresOf({ blend: 'fixed', blending: 100, sink_size_start: 0, sink_size_end: 0 });
		const leverage = leverageOf(layer, seen, [null, null]);
		const attention = chunkAttention(layer, seen, 16, false);
		byHead.forEach((row, head) => {
			expect(Array.from(row)).toEqual(Array.from(leverage[head], (x, j) => 100 * x + attention[head][j]));
			expect(order(row)[0]).toBe(order(leverage[head])[0]);
			expect(order(row).at(-1)).toBe(order(leverage[head]).at(-1));
		});
	});

	it('takes as weight the share that is removed, so kept sets need not be nested', () => {
		const [half, most] = [0.5, 0.1].map((fraction) => scoresOf({ budget: { fraction } }));
		expect(half.meaning).toContain('0.500 x');
		expect(most.meaning).toContain('0.900 x');
		const [leverage, attention] = [leverageOf(layer, seen, [null, null], 8, 4)[0], chunkAttention(layer, seen, 16, false, 8, 4)[0]];
		leverage.forEach((x, i) => expect(most.byHead[0][8 + i]).toBeCloseTo(0.9 * x + attention[i], 12));
		expect(order(half.byHead[0])).not.toEqual(order(most.byHead[0]));
		expect(scoresOf({ budget: { tokens: 25 } }).meaning).toContain('0.500 x');
	});

	it('keeps the 8 first and the 4 last whenever 13 stay', () => {
		for (const tokens of [13, 20]) {
			const { layers } = new Rig(full, [{ method: 'compactor', params: { budget: { tokens } } }]).prefill().arm;
			for (const each of layers) for (const head of [0, 1]) {
				expect(Array.from(each.positions(head))).toEqual(expect.arrayContaining([0, 1, 2, 3, 4, 5, 6, 7, N - 4, N - 3, N - 2, N - 1]));
				expect(each.length(head)).toBe(tokens);
			}
		}
	});

	it('gives protected tokens the best score of the others', () => {
		const { byHead } = scoresOf({});
		const best = Math.max(...byHead.flatMap((row) => Array.from(row.subarray(8, N - 4))));
		byHead.forEach((row) => [0, 7, N - 4, N - 1].forEach((slot) => expect(row[slot]).toBe(best)));
	});

	it('is finite for texts that are all protected', () => {
		const short = randomArm(10);
		const { layers } = new Rig(short, [{ method: 'compactor', params: { budget: { tokens: 6 } } }]).prefill().arm;
		expect(layers[0].length(0)).toBe(6);
	});
});
