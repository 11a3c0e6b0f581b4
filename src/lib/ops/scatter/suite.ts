import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend, type Preferred } from '../backend.ts';
import { persistent, read } from '../buffers.ts';
import { Scatter } from './index.ts';

/** Numbers that a bit pattern or a rounding could spoil. */
const floats = fc.constantFrom(0, 1.5, -1e30, 3e-39, 1e38, Math.fround(0.1));
const puts = fc.array(fc.record({ at: fc.nat(39), values: fc.array(fc.tuple(floats, fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })), { minLength: 1, maxLength: 5 }) }), { maxLength: 30 });

export function scatterSuite(backend: Preferred): void {
	describe(`scatter on ${backend}`, () => {
		beforeAll(async () => void (await openBackend(backend)));

		it('puts numbers where they belong; of two the later one counts', async () => {
			const [real, whole] = [persistent([11, 4]), persistent([44], 'int32')];
			const scatter = new Scatter();
			const [wantReal, wantWhole] = [new Float32Array(44), new Int32Array(44)];
			await fc.assert(fc.asyncProperty(puts, async (list) => {
				for (const { at, values } of list) {
					scatter.put(real, at, values.map(([x]) => x));
					scatter.put(whole, at, values.map(([, i]) => i));
					wantReal.set(values.map(([x]) => x), at);
					wantWhole.set(values.map(([, i]) => i), at);
				}
				scatter.flush();
				expect(await read(real)).toEqual(wantReal);
				expect(await read(whole)).toEqual(wantWhole);
			}), { numRuns: 20 });
			scatter.dispose();
			tf.dispose([real, whole]);
		});

		it('takes more than one upload, and drops what is not wanted', async () => {
			const [large, other] = [persistent([20_000]), persistent([3])];
			const scatter = new Scatter();
			const all = Float32Array.from({ length: 20_000 }, (_, i) => i / 3);
			scatter.put(large, 0, all);
			if (backend === 'webgpu') {
				scatter.put(other, 0, [1, 2, 3]);
				scatter.drop(other);
			}
			scatter.flush();
			expect(await read(large)).toEqual(all);
			expect(await read(other)).toEqual(new Float32Array(3));
			expect(() => scatter.put(other, 2, [1, 2])).toThrow(RangeError);
			scatter.dispose();
			tf.dispose([large, other]);
		});
	});
}
