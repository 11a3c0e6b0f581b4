import { describe, expect, it } from 'vitest';
import { syntheticTrace } from '../testing/synthetic.ts';
import { plain } from '$lib/ui/parts.ts';
import { departures, finding, headline } from './finding.ts';
import { plannedSteps, scoreGeometry } from './geometry.ts';

const desk = { width: 1176, presenter: false, phone: false };

describe('what changed', () => {
	it('flags the first word that differs, leaves the rest to itself', () => {
		const trace = syntheticTrace();
		const score = scoreGeometry(trace, desk);
		const kinds = score.rows[1].words.map((word) => word.kind);
		expect(kinds.slice(0, 4)).toEqual(['same', 'same', 'first', 'after']);
		expect(kinds.filter((kind) => kind === 'first')).toHaveLength(1);
		expect(score.rows[3].words.every((word) => word.kind === 'same')).toBe(true);
		expect(score.rows[0].words.every((word) => word.kind === 'reference')).toBe(true);
	});

	it('says so in one sentence', () => {
		const trace = syntheticTrace();
		expect(departures(trace)).toEqual([{ arm: 3, step: 0 }, { arm: 0, step: 2 }, { arm: 1, step: 8 }]);
		expect(plain(finding(trace))).toBe('D writes 9 at step 1 where the full cache writes 7. A leaves at step 3, B leaves at step 9, C has not left.');
		expect(headline(trace)).toBe('At step 1, D writes 9 where full writes 7');
	});

	it('names arms together that leave together', () => {
		const trace = syntheticTrace({ arms: ['streaming-llm', 'snapkv', 'snapkv', 'mixed'] });
		expect(plain(finding(trace))).toBe('A writes 9 at step 1 where the full cache writes 7. B and C leave at step 3, D has not left.');
	});

	it('has a sentence when nothing changed, nothing ran, or nothing is compared', () => {
		expect(plain(finding(syntheticTrace({ arms: ['mixed'] })))).toBe('The arm writes what the full cache writes, over 12 steps.');
		expect(plain(finding(syntheticTrace({ arms: [] })))).toMatch(/Only the full cache/);
		const none = syntheticTrace();
		for (const row of [none.reference, ...none.arms]) row.steps = [] as never;
		expect(plain(finding(none))).toMatch(/No word is written yet/);
	});

	it('compares what would have been written when words are fed', () => {
		const trace = syntheticTrace({ arms: ['snapkv'] });
		trace.experiment.forced = 'the same words';
		for (const [i, step] of trace.arms[0].steps.entries()) step.token = trace.reference.steps[i].token;
		const score = scoreGeometry(trace, desk);
		expect(score.rows[1].words[2].kind).toBe('first');
		expect(score.rows[1].words.slice(3).every((word) => word.kind === 'other' || word.kind === 'same')).toBe(true);
		expect(plain(finding(trace))).toMatch(/^A would write 2 at step 3/);
	});

	it('puts larger KL higher and keeps every line inside the strip', () => {
		const trace = syntheticTrace();
		trace.arms[0].steps[0].kl = 0;
		trace.arms[0].steps[1].kl = 4;
		const score = scoreGeometry(trace, desk);
		const points = [...score.lines[0].d.matchAll(/([\d.]+),([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
		expect(points).toHaveLength(12);
		expect(points[1][1]).toBeLessThan(points[0][1]);
		for (const line of score.lines) {
			for (const [, , y] of line.d.matchAll(/([\d.]+),([\d.]+)/g)) {
				expect(Number(y)).toBeGreaterThan(0);
				expect(Number(y)).toBeLessThan(score.strip);
			}
		}
		expect(score.klTicks.map((t) => t.value).every((v, i, all) => i === 0 || Math.abs(v / all[i - 1] - 10) < 1e-9)).toBe(true);
	});

	it('maps a place back to its step and arm', () => {
		const score = scoreGeometry(syntheticTrace(), desk);
		for (const row of score.rows) expect(score.at(score.x(4) + 3, row.y + 5)).toEqual({ step: 4, arm: row.arm });
		expect(score.at(-2, 40)).toBeNull();
		expect(score.at(score.x(score.columns) + 1, 40)).toBeNull();
	});

	it('leaves room for the steps that are still to come', () => {
		const trace = syntheticTrace({ steps: 4, done: false });
		trace.experiment.generate.tokens = 30;
		expect(plannedSteps(trace)).toBe(30);
		const score = scoreGeometry(trace, desk);
		expect(score.columns).toBe(30);
		expect(score.column).toBeGreaterThanOrEqual(60);
		expect(scoreGeometry({ ...trace, done: true }, desk).columns).toBe(4);
	});

	it('shortens words that do not fit, and says which', () => {
		const trace = syntheticTrace({ arms: [] });
		trace.reference.steps[0].text = ' incomprehensibilities';
		const word = scoreGeometry(trace, { ...desk, width: 700 }).rows[0].words[0];
		expect(word.text.endsWith('…')).toBe(true);
		expect(word.full).toBe(' incomprehensibilities');
	});
});
