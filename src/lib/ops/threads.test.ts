import { expect, it } from 'vitest';
import { threadsFor } from './threads.ts';

it('takes every core of a few, half of many, and never none', () => {
	expect([1, 2, 4, 6, 8, 12, 16, 64].map(threadsFor)).toEqual([1, 2, 4, 4, 4, 6, 8, 8]);
	expect(threadsFor(0)).toBe(1);
});
