import { describe, it } from 'vitest';
import type { Preferred } from '../backend.ts';
import { check, normal, tensor } from '../testing.ts';
import { swiGlu } from './index.ts';

export function swiGluSuite(backend: Preferred): void {
	describe(`swiGlu on ${backend}`, () => {
		it.each([[1, 512], [9, 7], [70, 40], [500, 40]])('%i rows of %i', async (rows, width) => {
			const x = normal('swiglu', rows, 2 * width);
			// Large gates of both signs must not overflow.
			x.data[0] = 90;
			x.data[1] = -90;
			const expected = Float64Array.from({ length: rows * width }, (_, i) => {
				const at = Math.floor(i / width) * 2 * width + (i % width);
				return (x.data[at] / (1 + Math.exp(-x.data[at]))) * x.data[at + width];
			});
			await check(backend, () => [swiGlu(tensor(x))], [expected]);
		});
	});
}
