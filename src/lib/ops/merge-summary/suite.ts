import { describe, expect, it } from 'vitest';
import type { Preferred } from '../backend.ts';
import { check, normal, numbersOn, tensor } from '../testing.ts';
import { mergeSummary } from './index.ts';

export function mergeSummarySuite(backend: Preferred): void {
	describe(`mergeSummary on ${backend}`, () => {
		it.each([[1, 2, 1, 1, 4], [3, 6, 2, 1, 16], [2, 4, 2, 5, 8]])('%i rows, %i/%i heads, %i tokens of %i channels', async (batch, heads, kvHeads, tokens, dim) => {
			const seed = `merge ${batch} ${heads} ${tokens}`;
			const [out, query] = [normal(`${seed} o`, batch, heads, tokens, dim), normal(`${seed} q`, batch, heads, tokens, dim)];
			const log = normal(`${seed} l`, batch, heads, tokens);
			const count = normal(`${seed} c`, batch, kvHeads);
			// The last head of the last row has no summary.
			count.data[count.data.length - 1] = -1e30;
			const [meanKey, meanValue] = [normal(`${seed} mk`, batch, kvHeads, dim), normal(`${seed} mv`, batch, kvHeads, dim)];
			const matrix = normal(`${seed} m`, batch, kvHeads, dim, dim);
			const build = () => {
				const merged = mergeSummary(tensor(out), tensor(log), tensor(query),
					{ logCount: tensor(count), meanKey: tensor(meanKey), meanValue: tensor(meanValue), matrix: tensor(matrix) });
				return [merged.out, merged.logSumExp];
			};
			const expectedOut = Float64Array.from(out.data);
			const expectedLog = Float64Array.from(log.data);
			const untouched: number[] = [];
			for (let row = 0; row < batch * heads * tokens; row++) {
				const head = Math.floor(row / tokens);
				const kv = Math.floor(head / heads) * kvHeads + Math.floor((head % heads) / (heads / kvHeads));
				if (count.data[kv] <= -1e29) { untouched.push(row); continue; }
				const q = query.data.subarray(row * dim, (row + 1) * dim);
				const dot = (m: Float32Array, at: number) => q.reduce((sum, x, j) => sum + x * m[at + j], 0);
				const logZ = count.data[kv] + dot(meanKey.data, kv * dim) / Math.sqrt(dim);
				const [a, c] = [Math.exp(log.data[row]), Math.exp(logZ)];
				for (let i = 0; i < dim; i++) {
					const f = meanValue.data[kv * dim + i] + dot(matrix.data, (kv * dim + i) * dim);
					expectedOut[row * dim + i] = (a * out.data[row * dim + i] + c * f) / (a + c);
				}
				expectedLog[row] = Math.log(a + c);
			}
			await check(backend, build, [expectedOut, expectedLog]);
			const [numbers, logs] = await numbersOn(backend, build);
			expect(untouched.length).toBeGreaterThan(0);
			for (const row of untouched) {
				expect(numbers.slice(row * dim, (row + 1) * dim)).toEqual(out.data.slice(row * dim, (row + 1) * dim));
				expect(logs[row]).toBe(log.data[row]);
			}
		});
	});
}
