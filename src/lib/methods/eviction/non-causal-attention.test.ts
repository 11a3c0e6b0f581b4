import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { fixtureNormal } from '$lib/numerics/fixture.ts';
import { promptView, Rig } from '../testing/views.ts';
import { chunkAttention, chunkColumns } from './non-causal-attention.ts';

const d = TINY.headDim;
const draw = (name: string, n: number) => fixtureNormal(name, n * d).map((x) => x / 2);
const sum = (x: ArrayLike<number>) => Array.from(x).reduce((a, b) => a + b, 0);

/** Column sums of one chunk of plain rows, from the definition. */
function brute(queries: number[][], keys: number[][]): number[] {
	const columns = keys.map(() => 0);
	for (const query of queries) {
		const weights = keys.map((key) => Math.exp(key.reduce((dot, x, c) => dot + x * query[c], 0)));
		const total = sum(weights);
		weights.forEach((weight, j) => (columns[j] += weight / total));
	}
	return columns;
}
const rows = (block: Float32Array, from: number, to: number) => Array.from({ length: to - from }, (_, i) => Array.from(block.subarray((from + i) * d, (from + i + 1) * d)));

describe('non-causal-attention', () => {
	it('is softmax over the chunk in whole and incomplete chunks; with whole ones the columns sum to n', () => {
		const [q, k] = [draw('q', 20), draw('k', 20)];
		for (const n of [16, 20]) {
			const found = chunkColumns(q.subarray(0, n * d), k.subarray(0, n * d), d, 8, false);
			for (let from = 0; from < n; from += 8) {
				const to = Math.min(n, from + 8);
				brute(rows(q, from, to), rows(k, from, to)).forEach((x, j) => expect(found[from + j]).toBeCloseTo(x, 9));
			}
			expect(sum(found)).toBeCloseTo(n, 9);
		}
		const whole = [q.subarray(0, 16 * d), k.subarray(0, 16 * d)] as const;
		expect(chunkColumns(...whole, d, 8, true)).toEqual(chunkColumns(...whole, d, 8, false));
	});

	it('as released lets the filling take part', () => {
		const [q, k] = [draw('q', 10), draw('k', 10)];
		const found = chunkColumns(q, k, d, 8, true);
		const zeros = Array.from({ length: 6 }, () => new Array<number>(d).fill(0));
		const wanted = brute([...rows(q, 8, 10), ...zeros], [...rows(k, 8, 10), ...zeros]);
		expect(found[8]).toBeCloseTo(wanted[0], 9);
		expect(found[9]).toBeCloseTo(wanted[1], 9);
		// Two real columns share 2 when nothing fills up.
		expect(sum(chunkColumns(q, k, d, 8, false).subarray(8))).toBeCloseTo(2, 9);
		expect(Math.abs(found[8] + found[9] - 2)).toBeGreaterThan(0.01);
	});

	it('permutes with the tokens of a chunk', () => {
		const [q, k] = [draw('q', 8), draw('k', 8)];
		const order = [3, 0, 7, 1, 6, 2, 5, 4];
		const permuted = (x: Float32Array) => Float32Array.from(order.flatMap((j) => Array.from(x.subarray(j * d, (j + 1) * d))));
		const before = chunkColumns(q, k, d, 8, false);
		chunkColumns(permuted(q), permuted(k), d, 8, false).forEach((x, i) => expect(x).toBeCloseTo(before[order[i]], 9));
	});

	it('multiplies by the length of the value, pools, and standardises over all heads', () => {
		const full = randomArm(40);
		const rig = new Rig(full, []);
		const found = chunkAttention(full.layers[0], promptView(full, 0, (h) => rig.queries(0, h)), 16, false);
		const raw = [0, 1].map((head) => {
			const keys = full.layers[0].keys(head);
			const paid = Array.from({ length: 40 }, (_, j) => {
				const [from, to] = [j - (j % 16), Math.min(40, j - (j % 16) + 16)];
				const mean = [2 * head, 2 * head + 1].map((h) => brute(rows(rig.queries(0, h), from, to), rows(keys, from, to))[j - from]);
				return ((mean[0] + mean[1]) / 2) * Math.hypot(...full.layers[0].values(head).subarray(j * d, (j + 1) * d));
			});
			return paid.map((x, j) => ((paid[j - 1] ?? 0) + x + (paid[j + 1] ?? 0)) / 3);
		});
		const all = raw.flat();
		const mean = sum(all) / all.length;
		const deviation = Math.sqrt(all.reduce((s, x) => s + (x - mean) ** 2, 0) / (all.length - 1));
		found.forEach((row, head) => row.forEach((x, j) => expect(x).toBeCloseTo((raw[head][j] - mean) / deviation, 6)));
	});

	it('judges a slot by its own query where others are gone, turned keys included', () => {
		const full = randomArm(30);
		const rig = new Rig(full, []);
		const seen = promptView(full, 0, (h) => rig.queries(0, h));
		const arm = full.fork();
		for (const head of [0, 1]) arm.layers[0].keep(head, [4, 5, 6, 20, 21]);
		const straight = chunkAttention(arm.layers[0], seen, 3, false);
		expect(straight[0]).toHaveLength(5);
		// Inside a chunk of neighbours distances stay when keys are numbered anew.
		for (const head of [0, 1]) arm.layers[0].rerotate(head);
		chunkAttention(arm.layers[0], seen, 3, false).forEach((row, head) => row.forEach((x, j) => expect(x).toBeCloseTo(straight[head][j], 4)));
	});
});
