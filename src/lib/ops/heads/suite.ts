import { describe, it } from 'vitest';
import { inverseFrequencies, rotation as turning } from '$lib/numerics/rope.ts';
import type { Preferred } from '../backend.ts';
import { check, normal, tensor, type Block } from '../testing.ts';
import { joinHeads, rope, rotation, splitAllHeads, splitHeads } from './index.ts';

/** [batch x tokens, columns] -> [batch, heads, tokens, headDim], number by number. */
function split({ data, shape: [, columns] }: Block, batch: number, tokens: number, heads: number, headDim: number, first: number): Float32Array {
	const out = new Float32Array(batch * heads * tokens * headDim);
	let i = 0;
	for (let b = 0; b < batch; b++) for (let h = 0; h < heads; h++) for (let t = 0; t < tokens; t++) for (let c = 0; c < headDim; c++) {
		out[i++] = data[(b * tokens + t) * columns + first + h * headDim + c];
	}
	return out;
}

export function headsSuite(backend: Preferred): void {
	describe(`heads on ${backend}`, () => {
		const freq = inverseFrequencies(8, 50000);

		it.each([[1, 1], [3, 1], [1, 7], [2, 5]])('splits, rotates and joins: %i rows of %i tokens', async (batch, tokens) => {
			const [heads, headDim, first] = [3, 8, 16];
			const x = normal(`heads ${batch} ${tokens}`, batch * tokens, 48);
			const start = Array.from({ length: batch }, (_, b) => 1000 - 700 * b);
			const plain = split(x, batch, tokens, heads, headDim, first);
			const positions = Array.from({ length: batch * heads * tokens }, (_, i) => start[Math.floor(i / (heads * tokens))] + (i % tokens));
			const turned = turning(freq).rotate(plain, positions, headDim);
			const layout = { batch, tokens, heads, headDim, first };
			const joined = new Float32Array(plain.length);
			for (let r = 0; r < batch * tokens; r++) joined.set(x.data.subarray(r * 48 + first, r * 48 + first + 24), r * 24);
			await check(backend, () => {
				const rows = tensor(x);
				const angles = rotation(start, tokens, freq);
				const bare = splitHeads(rows, layout);
				return [bare, splitHeads(rows, layout, angles), rope(bare, angles), joinHeads(bare)];
			}, [plain, turned, turned, joined]);
		});

		it.each([[1, 1, true], [3, 1, true], [2, 5, true], [2, 5, false], [1, 1, false]])('takes query, key and value apart: %i rows of %i tokens, turned %s', async (batch, tokens, turns) => {
			const [heads, kvHeads, headDim] = [3, 2, 8];
			const x = normal(`all heads ${batch} ${tokens}`, batch * tokens, (heads + 2 * kvHeads) * headDim);
			const start = Array.from({ length: batch }, (_, b) => 1000 - 700 * b);
			const part = (count: number, before: number, turned: boolean) => {
				const plain = split(x, batch, tokens, count, headDim, before * headDim);
				const positions = Array.from({ length: batch * count * tokens }, (_, i) => start[Math.floor(i / (count * tokens))] + (i % tokens));
				return turned ? turning(freq).rotate(plain, positions, headDim) : plain;
			};
			await check(backend, () => {
				const { query, key, value } = splitAllHeads(tensor(x), { batch, tokens, heads, kvHeads, headDim }, turns ? rotation(start, tokens, freq) : undefined);
				return [query, key, value];
			}, [part(heads, 0, turns), part(kvHeads, heads, turns), part(kvHeads, heads + kvHeads, false)]);
		});

		it('turns back by a negative angle', async () => {
			const x = normal('heads back', 1, 2, 3, 8);
			await check(backend, () => {
				const one = rotation([5], 1, freq);
				// Three tokens of one angle each: a rotation of one token a row, with rows for tokens.
				const rows = tensor({ data: x.data, shape: [1, 6, 1, 8] });
				return [rope(rope(rows, one), rotation([-5], 1, freq))];
			}, [x.data]);
		});
	});
}
