import { afterEach, describe, it } from 'vitest';
import type { Preferred } from '../backend.ts';
import { PROFILES, setProfile } from '../profile.ts';
import { check, normal, tensor } from '../testing.ts';
import { rmsNorm } from './index.ts';

export function rmsNormSuite(backend: Preferred): void {
	describe.each(backend === 'webgpu' ? PROFILES : PROFILES.slice(0, 1))(`rmsNorm on ${backend} (%s)`, (profile) => {
		afterEach(() => setProfile(null));

		it.each([[1, 256], [7, 72], [300, 33], [2, 5], [3, 1000], [300, 120]])('%i rows of %i', async (rows, width) => {
			setProfile(profile);
			const x = normal(`rms x ${width}`, rows, width);
			const w = normal('rms w', width);
			const expected = new Float64Array(rows * width);
			for (let r = 0; r < rows; r++) {
				const row = x.data.subarray(r * width, (r + 1) * width);
				const scale = 1 / Math.sqrt(row.reduce((sum, v) => sum + v * v, 0) / width + 1e-5);
				row.forEach((v, i) => { expected[r * width + i] = v * scale * w.data[i]; });
			}
			await check(backend, () => [rmsNorm(tensor(x), tensor(w), 1e-5)], [expected]);
		});
	});
}
