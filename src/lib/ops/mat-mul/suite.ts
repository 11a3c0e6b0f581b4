import { describe, expect, it } from 'vitest';
import * as tf from '@tensorflow/tfjs-core';
import type { Preferred } from '../backend.ts';
import { check, expectClose, normal, numbersOn, tensor } from '../testing.ts';
import { hostMatMul } from './host.ts';
import { makeWeight, matMul, transposed } from './index.ts';
import { product } from './stock.ts';

export function matMulSuite(backend: Preferred): void {
	describe(`matMul on ${backend}`, () => {
		// Rows around every switch: one chunk, two chunks, tiles with edges; inputs that do not fill vec4.
		it.each([
			[1, 72, 130], [2, 33, 7], [4, 64, 64], [5, 64, 66], [9, 256, 31], [12, 20, 40], [13, 20, 40], [24, 8, 5], [25, 8, 5], [65, 72, 130], [33, 33, 3]
		])('%i rows, %i inputs, %i outputs', async (rows, inputs, outputs) => {
			const x = normal(`mm x ${rows}`, rows, inputs);
			const w = normal('mm w', outputs, inputs);
			const plus = normal('mm plus', rows, outputs);
			const bias = normal('mm bias', outputs);
			const product = new Float64Array(rows * outputs);
			for (let r = 0; r < rows; r++) for (let n = 0; n < outputs; n++) for (let k = 0; k < inputs; k++) {
				product[r * outputs + n] += x.data[r * inputs + k] * w.data[n * inputs + k];
			}
			await check(backend, () => {
				const weight = makeWeight(w.data.slice(), outputs, inputs);
				const results = [
					matMul(tensor(x), weight), matMul(tensor(x), weight, { plus: tensor(plus) }),
					matMul(tensor(x), weight, { bias: tensor(bias) }), matMul(tensor(x), weight, { plus: tensor(plus), bias: tensor(bias) })
				];
				weight.tensor.dispose();
				return results;
			}, [
				product, product.map((v, i) => v + plus.data[i]),
				product.map((v, i) => v + bias.data[i % outputs]), product.map((v, i) => v + plus.data[i] + bias.data[i % outputs])
			]);
		});

		it.runIf(backend === 'cpu')('multiplies by loops as by stock ops', async () => {
			const [x, w, plus, bias] = [normal('loops x', 5, 35), normal('loops w', 9, 35), normal('loops plus', 5, 9), normal('loops bias', 9)];
			const [loops, ops] = await numbersOn(backend, () => [
				hostMatMul(tensor(x), tensor(w), { plus: tensor(plus), bias: tensor(bias) }),
				tf.tidy(() => product(tensor(x), tensor(w), { plus: tensor(plus), bias: tensor(bias) }, true))
			]);
			expectClose(loops, ops);
		});

		it('refuses what does not fit', async () => {
			expect(() => makeWeight(new Float32Array(5), 2, 3)).toThrow(RangeError);
			const weight = makeWeight(new Float32Array(6), 2, 3);
			const x = tf.zeros([1, 2]);
			expect(() => matMul(x, weight)).toThrow(RangeError);
			const [fits, long] = [tf.zeros([1, 3]), tf.zeros([3])];
			expect(() => matMul(fits, weight, { bias: long })).toThrow(RangeError);
			tf.dispose([x, fits, long, weight.tensor]);
		});

		it('transposes in blocks', () => {
			const data = Float32Array.from({ length: 37 * 70 }, (_, i) => i);
			const turned = transposed(data, 37, 70);
			expect(turned[5 * 37 + 36]).toBe(36 * 70 + 5);
			expect(transposed(turned, 70, 37)).toEqual(data);
		});
	});
}
