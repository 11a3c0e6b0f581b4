import { expect, it } from 'vitest';
import { editOf, editWords, stepOf } from './hand.ts';

const place = { n: 10, position: 4, layer: 2, head: 1, looked: 6 };

it('acts from the step after the one that is looked at, or from the start', () => {
	expect(stepOf('evict', 'step', place)).toBe(7);
	expect(stepOf('evict', 'start', place)).toBe(0);
	expect(stepOf('pin', 'start', place)).toBe(-1);
	expect(stepOf('pin', 'step', { ...place, looked: -1 })).toBe(0);
});

it('cannot act on a token before it is in the cache', () => {
	expect(stepOf('pin', 'start', { ...place, position: 12 })).toBe(4);
	expect(stepOf('evict', 'step', { ...place, position: 12, looked: 0 })).toBe(4);
});

it('says what it does, where and from when', () => {
	expect(editOf('evict', 'head', 'start', place)).toEqual({ step: 0, act: 'evict', positions: [4], layer: 2, head: 1 });
	expect(editOf('pin', 'all', 'start', place)).toEqual({ step: -1, act: 'pin', positions: [4] });
	expect(editWords(editOf('evict', 'layer', 'start', place), () => ' 9')).toBe('Evict ·9 4 in layer 2, from step 1');
	expect(editWords({ step: -1, act: 'keep', positions: [1, 2, 3, 4] }, () => 'x')).toBe('Keep only 4 tokens in all heads, before the prompt is compressed');
});
