import { describe, expect, it } from 'vitest';
import { matchWords, rankable, type ByteMatch } from './match.ts';

describe('rankable', () => {
	it('allows a difference of two per cent and no more', () => {
		expect(rankable([{ label: 'A', bytes: 1000 }, { label: 'B', bytes: 1020 }])).toMatchObject({ ok: true, words: 'All arms cost the same bytes, within 2.00 %.' });
		const refused = rankable([{ label: 'A', bytes: 1021 }, { label: 'B', bytes: 1010 }, { label: 'C', bytes: 1000 }]);
		expect(refused.ok).toBe(false);
		expect(refused.difference).toBeCloseTo(2.1, 9);
		expect(refused.words).toBe('These arms are not ranked: A costs 2.10 % more bytes than C, and more than 2.00 % would be an unfair comparison.');
		expect(rankable([{ label: 'A', bytes: 1021 }, { label: 'C', bytes: 1000 }], 0.05).ok).toBe(true);
	});

	it('has nothing to refuse with fewer than two arms', () => {
		expect(rankable([]).ok).toBe(true);
		expect(rankable([{ label: 'A', bytes: 5 }])).toMatchObject({ ok: true, difference: 0 });
	});
});

describe('the words of a match', () => {
	const match: ByteMatch = { wanted: 1000, bytes: 1010, difference: 1, outcome: 'matched', method: 'snapkv', params: { budget: { tokens: 37 } } };
	it('say what was found', () => {
		expect(matchWords(match)).toBe('snapkv with budget {"tokens":37} costs 1010 bytes after the prompt; 1000 were asked for: 1.00 % more.');
		expect(matchWords({ ...match, bytes: 1000, difference: 0 })).toContain('the same');
	});
	it.each([['coarse', 'too far apart'], ['least', 'the least it can'], ['most', 'the most it can'], ['fixed', 'no setting changes']] as const)(
		'say plainly when it cannot be: %s', (outcome, why) => {
			const words = matchWords({ ...match, bytes: 500, difference: -50, outcome });
			expect(words).toMatch(/^The bytes cannot be matched: .*50 % less; /);
			expect(words).toContain(why);
		});
});
