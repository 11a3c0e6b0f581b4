import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { STAGES, type Lesson } from './lesson.ts';
import { fromHash, furthest, move, placed, start, toHash } from './place.ts';

const lesson = { choices: [{}, {}, {}], axis: { max: 4 } } as unknown as Lesson;

describe('the place in a lesson', () => {
	it('comes back from its address', () => {
		const disc = fc.option(fc.integer({ min: 0, max: 4 }), { nil: null });
		fc.assert(fc.property(fc.constantFrom(...STAGES), fc.tuple(disc, disc, disc), fc.tuple(fc.nat(99), fc.nat(99), fc.nat(99)), (stage, guess, hands) => {
			const place = { stage, guess: [...guess], hands: [...hands] };
			const back = fromHash(lesson, toHash(place));
			if (stage === 'predict' || placed(place)) {
				expect(back).toEqual({ place, notices: [] });
			} else {
				expect(back.place.stage).toBe('predict');
				expect(back.notices).toHaveLength(1);
			}
		}));
	});
	it('begins with an empty address', () => {
		expect(toHash(start(lesson))).toBe('');
		expect(fromHash(lesson, '')).toEqual({ place: start(lesson), notices: [] });
	});
	it('reports what it cannot read and keeps the rest', () => {
		const { place, notices } = fromHash(lesson, '#stage=dessert&guess=4.0.9&hands=1.2.3&x=1');
		expect(place).toEqual({ stage: 'predict', guess: [null, null, null], hands: [1, 2, 3] });
		expect(notices).toHaveLength(3);
		expect(notices.join(' ')).toMatch(/no stage .dessert.*prediction in this link.*does not know/);
	});
	it('does not reveal without a prediction', () => {
		const { place, notices } = fromHash(lesson, '#stage=reveal');
		expect(place.stage).toBe('predict');
		expect(notices[0]).toMatch(/prediction comes first/);
		expect(fromHash(lesson, '#stage=reveal&guess=4.-.0').place.stage).toBe('predict');
	});
});

describe('legal moves', () => {
	const place = { stage: 'predict' as const, guess: [1, 2, 3], hands: [0, 0, 0] };
	it('need a prediction, then a commitment, then a measurement', () => {
		expect(furthest(start(lesson), false, false)).toBe('predict');
		expect(furthest(place, false, false)).toBe('commit');
		expect(furthest(place, true, false)).toBe('commit');
		expect(furthest(place, false, true)).toBe('commit');
		expect(furthest(place, true, true)).toBe('explain');
		expect(furthest({ ...start(lesson), hands: [0, 2, 0] }, true, true)).toBe('explain');
	});
	it('stay within what is allowed, both ways', () => {
		expect(move('predict', 1, 'explain')).toBe('commit');
		expect(move('commit', 1, 'commit')).toBe('commit');
		expect(move('explain', -1, 'explain')).toBe('reveal');
		expect(move('predict', -1, 'explain')).toBe('predict');
	});
});
