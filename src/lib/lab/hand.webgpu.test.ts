import { expect, it } from 'vitest';
import type { Edit } from '$lib/documents/experiment.ts';
import { onBoth } from './testing.ts';

it('on webgpu what a hand evicts and restores reaches the device before the step is read, as on wasm', async () => {
	const edits: Edit[] = [
		{ step: -1, act: 'pin', positions: [4], layer: 0, head: 1 }, { step: 0, act: 'evict', positions: [90, 95] },
		{ step: 2, act: 'restore', positions: [20, 21, 95] }, { step: 3, act: 'evict', positions: [97], layer: 1 }
	];
	const snapkv = { method: 'snapkv', params: { budget: { fraction: 0.3 }, window: 8 } };
	const parts = { arms: [{ stack: [snapkv], edits }, { stack: [snapkv, { method: 'kivi', params: { group: 16, residual: 16 } }], edits }], forced: 'The red', report: ['logits'] };
	const { gpu, wasm } = await onBoth(parts);
	for (const [i, arm] of gpu.arms.entries()) {
		for (const [step, row] of arm.logits!.entries()) {
			const other = wasm.arms[i].logits![step];
			const size = Math.max(...other.map(Math.abs));
			row.forEach((logit, id) => expect(Math.abs(logit - other[id])).toBeLessThan(1e-4 * size));
		}
	}
});
