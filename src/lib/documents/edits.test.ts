import { expect, it } from 'vitest';
import { earliestStep, positionsBefore, withEdit } from './edits.ts';
import type { Edit } from './experiment.ts';

it('a token can be acted on as soon as it is in the cache', () => {
	for (const position of [0, 9, 10, 11, 15]) {
		const step = earliestStep(10, position);
		expect(positionsBefore(10, step)).toBeGreaterThan(position);
		if (step > 0) expect(positionsBefore(10, step - 1)).toBeLessThanOrEqual(position);
	}
});

it('the later of two edits of the same token at the same place counts', () => {
	const pin: Edit = { step: -1, act: 'pin', positions: [3, 4], layer: 1, head: 0 };
	const evict: Edit = { step: 0, act: 'evict', positions: [3], layer: 1, head: 0 };
	expect(withEdit([pin], evict)).toEqual([{ ...pin, positions: [4] }, evict]);
	expect(withEdit([evict], { ...evict, head: 1 })).toHaveLength(2);
	expect(withEdit([evict], { ...evict, step: 2 })).toHaveLength(2);
	expect(withEdit([evict], { ...evict, act: 'restore' })).toEqual([{ ...evict, act: 'restore' }]);
	expect(withEdit([{ step: -1, act: 'keep', positions: [3] }], { step: 0, act: 'evict', positions: [3] })).toHaveLength(2);
});
