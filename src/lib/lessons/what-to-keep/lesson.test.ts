import { describe, expect, it } from 'vitest';
import type { ArmTrace, Trace } from '$lib/documents/trace.ts';
import { parseExperiment } from '$lib/documents/schema.ts';
import { loadTokenizer } from '$lib/model/index.ts';
import { plain } from '$lib/ui/parts.ts';
import type { Outcome } from '../lesson.ts';
import experiment from './experiment.json' with { type: 'json' };
import { makeOpening } from './opening.ts';
import opening from './opening.json' with { type: 'json' };
import { digitsRight, heldShare, holders, massOn, outcome } from './reading.ts';
import { explain, hands, point, verdict } from './text.ts';

const arm = (text: string, kept: number[][][]): ArmTrace => ({ text, kept, label: '', billAfterPrompt: { total: 100, ratio: 4 } }) as unknown as ArmTrace;
const trace = {
	prompt: { ids: Array.from({ length: 40 }), answer: '7491.', needles: [[10, 14]] },
	reference: { text: ' 7491.\nQ' },
	arms: [
		arm(' 9983.', [[[0, 1, 2, 3, 38, 39], [0, 1, 2, 3, 38, 39]]]),
		arm(' 7421', [[[10, 11, 20], [5, 6, 7]]]),
		arm(' 7491\n', [[[10, 11, 12, 13, 39], [10, 39]]])
	]
} as unknown as Trace;
const result = (...values: number[]): Outcome => ({
	reference: digitsRight('7491', '7491'),
	arms: values.map((v) => digitsRight('7491'.slice(0, v).padEnd(4, '0'), '7491'))
});

describe('reading the outcome', () => {
	it('counts digits in place, not as a set, and bears short texts', () => {
		expect(digitsRight(' 7491.', '7491').value).toBe(4);
		expect(digitsRight(' 7149', '7491').value).toBe(1);
		expect(digitsRight(' 7491.\nQ', '7491.')).toMatchObject({ value: 4, pieces: { length: 4 } });
		expect(digitsRight('7', '7491')).toMatchObject({ value: 1 });
		expect(digitsRight(' 74.\nQ', '7491').pieces.map((p) => p.text).join('')).toBe('74\u2013\u2013');
		expect(digitsRight('', '7491').pieces).toHaveLength(4);
		expect(outcome(trace).arms.map((m) => m.value)).toEqual([0, 3, 4]);
	});
	it('counts heads that hold all or some of the code', () => {
		expect(trace.arms.map((a) => holders(trace, a))).toEqual([{ all: 0, some: 0, of: 2 }, { all: 0, some: 1, of: 2 }, { all: 1, some: 2, of: 2 }]);
		const share = heldShare(trace, trace.arms[2]);
		expect([share[10], share[11], share[12], share[0]]).toEqual([1, 0.5, 0.5, 0]);
	});
	it('adds the mass of every head on the code', () => {
		const full = Float32Array.from({ length: 2 * 40 }, (_, i) => (i % 40 === 10 || i % 40 === 13 ? 0.25 : 0.5 / 38));
		const mass = massOn({ kind: 'heads', step: 0, positions: 40, full, arm: full, massLost: new Float32Array(2) }, 'full', [10, 14]);
		expect(mass[0]).toBeCloseTo(0.5 + 2 * (0.5 / 38), 6);
		expect(mass).toHaveLength(2);
	});
});

describe('the words take up the prediction', () => {
	it('name the widest miss, what was written, and what was right', () => {
		expect(plain(verdict([4, 3, 4], result(0, 3, 4)))).toBe('You gave Sinks and recent 4 of 4 digits. It writes 0000: 0 of 4. You were exactly right about Heavy hitters and SnapKV.');
		expect(plain(verdict([0, 3, 0], result(0, 3, 4)))).toMatch(/^You gave SnapKV 0 of 4 digits\. It still writes 7491: 4 of 4\./);
	});
	it('say so when everything was right, and bear a class without discs', () => {
		expect(plain(verdict([0, 3, 4], result(0, 3, 4)))).toMatch(/^Every disc is where the measurement landed/);
		expect(plain(verdict([null, null, null], result(0, 3, 4)))).toBe('SnapKV has 4 of 4 digits right, more than any other.');
	});
	it('count the hands and what they voted for', () => {
		expect(plain(hands([14, 2, 7], null))).not.toMatch(/digits right/);
		expect(plain(hands([14, 2, 7], result(0, 3, 4)))).toMatch(/^14 hands for Sinks and recent\. It writes 0000, 0 of 4 digits right\. SnapKV has 4 of 4/);
		expect(plain(hands([1, 0, 7], result(0, 3, 4)))).toMatch(/^7 hands for SnapKV\. It writes 7491/);
	});
	it('draw the point from what was measured and from nothing else', () => {
		const say = (...values: number[]) => plain(point(trace, result(...values)));
		expect(say(0, 1, 4)).toMatch(/only the policy that looked at the question/);
		expect(say(0, 4, 4)).toMatch(/^Heavy hitters and SnapKV still know the code at the same bytes at which Sinks and recent does not/);
		expect(say(4, 4, 4)).toMatch(/all three still know/);
		expect(say(0, 1, 2)).toMatch(/^None of the three/);
		expect(plain(point(trace, { ...result(0, 1, 4), reference: digitsRight('7400', '7491') }))).toMatch(/^Even from the full cache the model has only 2 of 4/);
	});
	it('explain with numbers of the trace', () => {
		const text = explain(trace, outcome(trace)).map(plain).join('\n');
		expect(text).toMatch(/positions 10 to 13 of 40/);
		expect(text).toMatch(/keeps 6 slots a head.*newest begin at position 38, 24 tokens after the code: none of 2 heads/);
		expect(text).toMatch(/1 of 2 heads hold all of it, and 2 at least one digit/);
	});
});

it('shows the prompt that the experiment really makes', async () => {
	const made = makeOpening(parseExperiment(experiment, { unknown: 'error' }).experiment, await loadTokenizer('static/models/nano'));
	expect(opening).toEqual(made);
	expect(opening.tokens).toBe(experiment.prompt.length);
});
