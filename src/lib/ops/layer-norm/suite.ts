import { describe, it } from 'vitest';
import type { Preferred } from '../backend.ts';
import { check, normal, tensor, type Block } from '../testing.ts';
import { layerNorm } from './index.ts';

function reference({ data, shape: [rows, width] }: Block, weight: Float32Array, bias: Float32Array): Float64Array {
	const out = new Float64Array(rows * width);
	for (let r = 0; r < rows; r++) {
		const row = Float64Array.from(data.subarray(r * width, (r + 1) * width));
		const mean = row.reduce((sum, v) => sum + v, 0) / width;
		const variance = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / width;
		row.forEach((v, i) => { out[r * width + i] = ((v - mean) / Math.sqrt(variance + 1e-5)) * weight[i] + bias[i]; });
	}
	return out;
}

export function layerNormSuite(backend: Preferred): void {
	describe(`layerNorm on ${backend}`, () => {
		it.each([[1, 256], [7, 72], [300, 33], [2, 5]])('%i rows of %i', async (rows, width) => {
			const x = normal(`layer norm x ${width}`, rows, width);
			const [w, b] = [normal('layer norm w', width), normal('layer norm b', width)];
			await check(backend, () => [layerNorm(tensor(x), tensor(w), tensor(b), 1e-5)], [reference(x, w.data, b.data)]);
		});

		it('does not lose a small variance beside a large mean', async () => {
			const x = normal('layer norm far', 3, 64);
			// Float32 numbers near 100 lie 8e-6 apart, and a float32 mean may be off by as much.
			for (let i = 0; i < x.data.length; i++) x.data[i] += 100;
			const [w, b] = [normal('layer norm w', 64), normal('layer norm b', 64)];
			await check(backend, () => [layerNorm(tensor(x), tensor(w), tensor(b), 1e-5)], [reference(x, w.data, b.data)], 2e-5);
		});
	});
}
