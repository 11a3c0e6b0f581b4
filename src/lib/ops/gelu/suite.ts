import { describe, it } from 'vitest';
import type { Preferred } from '../backend.ts';
import { check, normal, tensor } from '../testing.ts';
import { gelu } from './index.ts';

const exact = (v: number) => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)));

export function geluSuite(backend: Preferred): void {
	describe(`gelu on ${backend}`, () => {
		it.each([[1, 512], [9, 7], [70, 40]])('%i rows of %i', async (rows, width) => {
			const x = normal('gelu', rows, width);
			await check(backend, () => [gelu(tensor(x))], [Float64Array.from(x.data, exact)]);
		});

		it('is 0 or its input far from zero, never a NaN', async () => {
			const x = { data: Float32Array.of(90, -90, 1e4, -1e4, 2 ** 30, -(2 ** 30)), shape: [1, 6] };
			await check(backend, () => [gelu(tensor(x))], [[90, 0, 1e4, 0, 2 ** 30, 0]], 1e-30);
		});
	});
}
