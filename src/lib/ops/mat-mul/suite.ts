import fc from 'fast-check';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBackend, type Preferred } from '../backend.ts';
import { PROFILES, setProfile, type Profile } from '../profile.ts';
import { check, expectClose, normal, numbersOn, tensor, type Block } from '../testing.ts';
import { fittingFormat, pack, unpack, type WeightFormat } from './formats.ts';
import { hostMatMul } from './host.ts';
import { makeWeight, makeWeightFromRows, matMul, matMulSwiGlu, readWeight, transposed } from './index.ts';
import { composed } from './stock.ts';

interface Case { rows: number; inputs: number; outputs: number; format: WeightFormat; profile: Profile }

/** The numbers of a weight, rounded to its format. */
function rounded({ data }: Block, inputs: number, wanted: WeightFormat): Float32Array {
	const format = fittingFormat(wanted, inputs);
	return format === 'f32' ? data : unpack(pack(data, inputs, format), format);
}

function times(x: Block, w: Float32Array, outputs: number): Float64Array {
	const [rows, inputs] = x.shape;
	return Float64Array.from({ length: rows * outputs }, (_, i) => {
		const [r, n] = [Math.floor(i / outputs), i % outputs];
		let sum = 0;
		for (let k = 0; k < inputs; k++) sum += x.data[r * inputs + k] * w[n * inputs + k];
		return sum;
	});
}

const silu = (x: number) => x / (1 + Math.exp(-x));

/** Enough tiles for the wide ones of the gpu profile, with edges. */
const WIDE: Case[] = [
	{ rows: 260, inputs: 40, outputs: 2001, format: 'f32', profile: 'gpu' },
	{ rows: 260, inputs: 64, outputs: 2001, format: 'int4', profile: 'gpu' }
];

/** Rows around every switch (one chunk, two chunks, tiles with edges), inputs that do not fill vec4, every format. */
const CASES = PROFILES.flatMap((profile): Case[] => [
	...(profile === 'gpu' ? WIDE : []),
	...[[1, 72, 130], [2, 33, 7], [5, 64, 66], [24, 8, 6], [70, 76, 130], [25, 33, 3], [260, 8, 130]]
		.map(([rows, inputs, outputs]) => ({ rows, inputs, outputs, format: 'f32' as const, profile })),
	...(['f16', 'int8', 'int4'] as const).flatMap((format) => [
		{ rows: 1, inputs: 96, outputs: 70, format, profile },
		{ rows: 9, inputs: 96, outputs: 34, format, profile },
		{ rows: 66, inputs: 96, outputs: 68, format, profile }
	])
]);

export function matMulSuite(backend: Preferred): void {
	describe(`matMul on ${backend}`, () => {
		beforeEach(async () => { await openBackend(backend); });
		afterEach(() => setProfile(null));

		it.each(CASES.filter(({ profile }) => backend === 'webgpu' || profile === 'gpu'))('$rows rows, $inputs inputs, $outputs outputs ($format, $profile)', async ({ rows, inputs, outputs, format, profile }) => {
			setProfile(profile);
			const x = normal(`mm x ${rows}`, rows, inputs);
			const w = normal('mm w', outputs, inputs);
			const plus = normal('mm plus', rows, outputs);
			const bias = normal('mm bias', outputs);
			const bare = times(x, rounded(w, inputs, format), outputs);
			// Of many rows the gate is another op; its program takes a software adapter seconds to compile.
			const paired = outputs % 2 === 0 && (rows <= 24 || format === 'f32');
			const half = outputs / 2;
			const gated = Float64Array.from({ length: Math.floor(rows * half) }, (_, i) => {
				const at = Math.floor(i / half) * outputs + (i % half);
				return silu(bare[at] + bias.data[i % half]) * (bare[at + half] + bias.data[(i % half) + half]);
			});
			const build = () => {
				const weight = makeWeight(w.data.slice(), outputs, inputs, format);
				const results = [matMul(tensor(x), weight, { plus: tensor(plus), bias: tensor(bias) })];
				if (paired) results.push(matMulSwiGlu(tensor(x), weight, { bias: tensor(bias) }));
				tf.dispose(weight.tensors);
				return results;
			};
			const expected = [bare.map((v, i) => v + plus.data[i] + bias.data[i % outputs]), ...(paired ? [gated] : [])];
			await check(backend, build, expected, 1e-5);
		});

		it('adds a residual or a bias alone', async () => {
			const [x, w, plus, bias] = [normal('one x', 2, 8), normal('one w', 6, 8), normal('one plus', 2, 6), normal('one bias', 6)];
			const bare = times(x, w.data, 6);
			await check(backend, () => {
				const weight = makeWeight(w.data.slice(), 6, 8);
				const results = [matMul(tensor(x), weight, { plus: tensor(plus) }), matMul(tensor(x), weight, { bias: tensor(bias) }), matMulSwiGlu(tensor(x), weight)];
				tf.dispose(weight.tensors);
				return results;
			}, [bare.map((v, i) => v + plus.data[i]), bare.map((v, i) => v + bias.data[i % 6]), bare.filter((_, i) => i % 6 < 3).map((v, i) => silu(v) * bare[Math.floor(i / 3) * 6 + (i % 3) + 3])]);
		});

		it.runIf(backend === 'cpu')('multiplies by loops as by stock ops', async () => {
			const [x, w, plus, bias] = [normal('loops x', 5, 35), normal('loops w', 9, 35), normal('loops plus', 5, 9), normal('loops bias', 9)];
			const [loops, ops] = await numbersOn(backend, () => [
				hostMatMul(tensor(x), tensor(w), { plus: tensor(plus), bias: tensor(bias) }),
				tf.tidy(() => composed(tensor(x), tensor(w), { plus: tensor(plus), bias: tensor(bias) }, true))
			]);
			expectClose(loops, ops);
		});

		it('holds what it was made of, made row by row or at once', async () => {
			const size = fc.record({ outputs: fc.integer({ min: 1, max: 70 }), inputs: fc.constantFrom(3, 8, 32, 96), format: fc.constantFrom('f32', 'f16', 'int8', 'int4') });
			await fc.assert(fc.asyncProperty(size, async ({ outputs, inputs, format }) => {
				const block = normal(`held ${outputs} ${inputs}`, outputs, inputs);
				const weight = makeWeightFromRows((from, to) => block.data.slice(from * inputs, to * inputs), outputs, inputs, format);
				const held = await readWeight(weight);
				const part = await readWeight(weight, outputs - 1);
				expect(Array.from(held)).toEqual(Array.from(rounded(block, inputs, format)));
				expect(Array.from(part)).toEqual(Array.from(held.slice((outputs - 1) * inputs)));
				expect(weight.format).toBe(fittingFormat(format, inputs));
				const bits = { f32: 32, f16: 16, int8: 9, int4: 5 }[weight.format];
				expect(weight.bytes).toBe((outputs * inputs * (backend === 'webgpu' ? bits : 32)) / 8);
				tf.dispose(weight.tensors);
			}), { numRuns: 25 });
		});

		it('asks for rows once and in order, a part at a time', async () => {
			const asked: [number, number][] = [];
			const weight = makeWeightFromRows((from, to) => {
				asked.push([from, to]);
				return new Float32Array((to - from) * 4096).fill(from);
			}, 600, 4096);
			expect(asked).toEqual([[0, 256], [256, 512], [512, 600]]);
			const held = await readWeight(weight, 510, 514);
			expect([0, 4096, 8192, 12288].map((at) => held[at])).toEqual([256, 256, 512, 512]);
			tf.dispose(weight.tensors);
		});

		it('refuses what does not fit', () => {
			const before = tf.memory().numTensors;
			expect(() => makeWeight(new Float32Array(5), 2, 3)).toThrow(RangeError);
			expect(() => makeWeightFromRows(() => new Float32Array(5), 2, 3)).toThrow(RangeError);
			expect(tf.memory().numTensors).toBe(before);
			const weight = makeWeight(new Float32Array(6), 2, 3);
			const x = tf.zeros([1, 2]);
			expect(() => matMul(x, weight)).toThrow(RangeError);
			const [fits, long] = [tf.zeros([1, 3]), tf.zeros([3])];
			expect(() => matMul(fits, weight, { bias: long })).toThrow(RangeError);
			tf.dispose([x, fits, long, ...weight.tensors]);
		});

		it('transposes in blocks', () => {
			const data = Float32Array.from({ length: 37 * 70 }, (_, i) => i);
			const turned = transposed(data, 37, 70);
			expect(turned[5 * 37 + 36]).toBe(36 * 70 + 5);
			expect(transposed(turned, 70, 37)).toEqual(data);
		});
	});
}
