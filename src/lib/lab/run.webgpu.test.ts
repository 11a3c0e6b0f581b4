import { expect, it } from 'vitest';
import { flatSuite } from './flat-suite.ts';
import { onBoth } from './testing.ts';

it('on webgpu an arm from which nothing is taken is bit for bit the full cache, and wasm says the same', async () => {
	const parts = {
		arms: [{ stack: [] }, { stack: [{ method: 'snapkv', params: { budget: { fraction: 1 } } }] }, { stack: [{ method: 'snapkv', params: { window: 8 } }] }],
		forced: 'The red', report: ['logits', 'steps', 'kept']
	};
	const { gpu, wasm } = await onBoth(parts);
	expect(gpu.arms[0].logits).toEqual(gpu.reference.logits);
	expect(gpu.arms[1].logits).toEqual(gpu.reference.logits);
	expect(gpu.arms[2].kept).toEqual(wasm.arms[2].kept);
	for (const [i, row] of gpu.arms[2].logits!.entries()) {
		const other = wasm.arms[2].logits![i];
		const size = Math.max(...other.map(Math.abs));
		row.forEach((logit, id) => expect(Math.abs(logit - other[id])).toBeLessThan(1e-4 * size));
		expect(gpu.arms[2].steps![i].kl).toBeCloseTo(wasm.arms[2].steps![i].kl, 4);
	}
});

flatSuite('webgpu');
