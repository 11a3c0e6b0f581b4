import { describe, expect, it } from 'vitest';
import { exampleTrace } from './example.ts';
import { readRecording, unzipRecording, writeRecording, zipRecording } from './recording.ts';
import type { AttentionProbe, Recording } from './trace.ts';

const attention: AttentionProbe = {
	kind: 'attention', steps: 1, positions: 3, full: Float32Array.of(1 / 3, 1e-7, 0.9), arm: Float32Array.of(0, NaN, Infinity),
	massLost: Float32Array.of(0.1), massOnSummary: new Float32Array(1)
};
const recording: Recording = { trace: exampleTrace(), probes: { 'attention:0:0:0': attention } };

describe('recordings', () => {
	it('come back exactly, types and all', () => {
		expect(readRecording(writeRecording(recording))).toEqual(recording);
		expect(unzipRecording(zipRecording(recording))).toEqual(recording);
	});

	it('come back within half precision when asked to be small', () => {
		const back = readRecording(writeRecording(recording, { halves: true })).probes['attention:0:0:0'] as AttentionProbe;
		expect(back.full).toBeInstanceOf(Float32Array);
		for (let i = 0; i < 3; i++) expect(Math.abs(back.full[i] - attention.full[i])).toBeLessThanOrEqual(attention.full[i] * 2 ** -11 + 2 ** -25);
		expect([...back.arm]).toEqual([0, NaN, Infinity]);
	});

	it('keep numbers that JSON has not', () => {
		const odd = structuredClone(recording);
		odd.trace.arms[0].steps[0].kl = NaN;
		odd.trace.timings.load = Infinity;
		expect(readRecording(writeRecording(odd))).toEqual(odd);
	});

	it('shrink long arrays', () => {
		const big = { ...recording, probes: { x: { ...attention, full: new Float32Array(100_000) } } };
		expect(writeRecording(big).length).toBeLessThan(20_000);
	});

	it('keep ascending positions in next to nothing', () => {
		const decision = { positions: Int32Array.from({ length: 600 }, (_, i) => 2 * i + 40), scores: new Float32Array(600), meaning: '' };
		const trace = exampleTrace();
		const long = { trace: { ...trace, arms: [{ ...trace.arms[0], verbs: [{ ...trace.arms[0].verbs[0], decision }] }] }, probes: {} };
		const text = writeRecording(long);
		expect(readRecording(text)).toEqual(long);
		expect(text.length).toBeLessThan(writeRecording({ trace, probes: {} }).length + 60);
		for (const odd of [Int32Array.of(5), Int32Array.of(0, 300), Int32Array.of(3, 1), new Int32Array(0), Int32Array.of(-7, -7, 2), Uint32Array.of(4e9, 4e9 + 1)]) {
			const one = { ...long, probes: { x: { ...attention, full: odd as unknown as Float32Array } } };
			expect(readRecording(writeRecording(one))).toEqual(one);
		}
	});

	it('refuse other files in plain words', () => {
		expect(() => readRecording('{')).toThrow(/not a recorded run/);
		expect(() => readRecording('{"a":1}')).toThrow(/not a recorded run of version 1/);
	});
});
