import { describe, expect, it } from 'vitest';
import { exampleTrace } from '$lib/documents/example.ts';
import { traceToCsv, traceToJson } from './export.ts';
import { compareFingerprint, fingerprint } from './fingerprint.ts';

describe('exports', () => {
	const trace = exampleTrace();

	it('write one line an arm and step, quoted where needed', () => {
		const lines = traceToCsv(trace).split('\r\n');
		expect(lines).toHaveLength(5);
		expect(lines[0].split(',').slice(0, 5)).toEqual(['arm', 'methods', 'step', 'token', 'text']);
		expect(lines[1]).toMatch(/^"SnapKV, ""KIVI""",snapkv\+kivi,0,1, a,1, a,0\.01,true,0\.5,64,64,2,8,64,0,/);
		expect(lines[2]).toContain('" d,\n"');
		expect(lines[1]).toMatch(/,measured here$/);
	});

	it('write JSON without typed arrays', () => {
		const json = JSON.parse(traceToJson(trace));
		expect(json.arms[0].steps[1].kl).toBe(0.4);
		expect(json.arms[0].verbs[0].positions).toEqual([0, 2]);
		expect(json.arms[0]).not.toHaveProperty('cells');
	});
});

describe('fingerprint', () => {
	const { reference } = exampleTrace();

	it('is the same for equal numbers and close ones, and another for other tokens', () => {
		const author = fingerprint(reference);
		expect(author).toMatch(/^[0-9a-f]{6}$/);
		expect(compareFingerprint(reference, author)).toEqual({ same: true });
		const close = structuredClone(reference);
		for (const step of close.steps) step.top[0].p += 1e-4;
		expect(compareFingerprint(close, author)).toEqual({ same: true });
		const other = structuredClone(reference);
		for (const step of other.steps.slice(1)) step.token += 1;
		expect(compareFingerprint(other, author)).toEqual({ same: false, step: 1 });
	});

	it('compares what both have, and says nothing without any', () => {
		expect(compareFingerprint({ ...reference, steps: reference.steps.slice(0, 2) }, fingerprint(reference))).toEqual({ same: true });
		expect(compareFingerprint(reference, '')).toBeNull();
		expect(compareFingerprint(reference, 'zz')).toBeNull();
	});
});
