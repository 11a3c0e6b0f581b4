import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CELL_STATES } from '$lib/documents/trace.ts';
import { contrast, hexToRgb, ramp, rampTable, type Rgb } from './palettes.ts';

const text = readFileSync('src/lib/ui/tokens.css', 'utf8');

/** Variables of one theme block. */
function tokens(theme: 'light' | 'dark'): Record<string, Rgb> {
	const start = text.indexOf(`[data-theme='${theme}'] {`);
	const block = text.slice(start, text.indexOf('\n}', start));
	return Object.fromEntries([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map(([, name, hex]) => [name, hexToRgb(hex)]));
}

const linear = (c: Rgb) => c.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));

/** CIE L*a*b* (D65) of linear sRGB. */
function lab([r, g, b]: number[]): [number, number, number] {
	const f = (t: number) => (t > 216 / 24389 ? Math.cbrt(t) : (24389 / 27 * t + 16) / 116);
	const x = f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
	const y = f(0.2126729 * r + 0.7151522 * g + 0.072175 * b);
	const z = f((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883);
	return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** Colour-vision deficiency at full severity (Machado, Oliveira and Fernandes 2009), linear sRGB. */
const SEEN_BY: Record<string, number[][]> = {
	normal: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
	protan: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
	deutan: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
	tritan: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]]
};
const seen = (c: Rgb, by: string) =>
	lab(SEEN_BY[by].map((row) => Math.min(1, Math.max(0, row.reduce((sum, k, i) => sum + k * linear(c)[i], 0)))));

describe.each(['light', 'dark'] as const)('tokens, %s', (theme) => {
	const t = tokens(theme);

	it('gives text at least 4.5:1 on the grounds it stands on', () => {
		for (const ink of ['ink', 'ink-2', 'ink-3', 'alarm']) {
			expect(contrast(t[ink], t.paper), ink).toBeGreaterThanOrEqual(4.5);
			if (ink !== 'alarm') expect(contrast(t[ink], t['paper-2']), `${ink} on paper-2`).toBeGreaterThanOrEqual(4.5);
		}
		expect(contrast(t.alarm, t['alarm-soft'])).toBeGreaterThanOrEqual(4.5);
		for (const ink of ['ink', 'ink-2']) expect(contrast(t[ink], t['mark-soft']), `${ink} on the highlighter`).toBeGreaterThanOrEqual(4.5);
		expect(contrast(t['on-mark'], t.mark)).toBeGreaterThanOrEqual(4.5);
	});

	it('gives every state, arm and edge at least 3:1 on paper', () => {
		for (const state of CELL_STATES) if (state !== 'absent') expect(contrast(t[`st-${state}`], t.paper), state).toBeGreaterThanOrEqual(3);
		for (let i = 1; i <= 8; i++) expect(contrast(t[`cat-${i}`], t.paper), `cat-${i}`).toBeGreaterThanOrEqual(3);
		for (const mark of ['line', 'mark-edge', 'focus']) expect(contrast(t[mark], t.paper), mark).toBeGreaterThanOrEqual(3);
	});

	it.each(Object.keys(SEEN_BY))('has a sequential scale of monotone lightness, diverging sides too (%s)', (by) => {
		const lightness = (name: string) => Array.from({ length: 9 }, (_, i) => seen(t[`${name}-${i}`], by)[0]);
		const rises = (values: number[]) => values.every((v, i) => i === 0 || v > values[i - 1]);
		const seq = lightness('seq');
		expect(rises(theme === 'dark' ? seq : seq.toReversed())).toBe(true);
		const div = lightness('div');
		const left = div.slice(0, 5);
		const right = div.slice(4).toReversed();
		expect(rises(theme === 'dark' ? left.toReversed() : left)).toBe(true);
		expect(rises(theme === 'dark' ? right.toReversed() : right)).toBe(true);
	});

	it.each(Object.keys(SEEN_BY))('keeps the eight arms apart (%s)', (by) => {
		for (let i = 1; i <= 8; i++) {
			for (let j = i + 1; j <= 8; j++) {
				const [a, b] = [seen(t[`cat-${i}`], by), seen(t[`cat-${j}`], by)];
				expect(Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]), `${i} and ${j}`).toBeGreaterThan(10);
			}
		}
	});
});

describe('ramps', () => {
	const stops: Rgb[] = [[0, 0, 0], [100, 0, 0], [100, 200, 0]];
	it('go through their stops and clamp', () => {
		const at = ramp(stops);
		expect(at(0)).toEqual([0, 0, 0]);
		expect(at(0.5)).toEqual([100, 0, 0]);
		expect(at(0.75)).toEqual([100, 100, 0]);
		expect(at(2)).toEqual([100, 200, 0]);
		expect(at(NaN)).toEqual([0, 0, 0]);
	});
	it('come as bytes', () => {
		const table = rampTable(stops);
		expect(table).toHaveLength(768);
		expect([...table.slice(765)]).toEqual([100, 200, 0]);
	});
	it('refuse what is no colour', () => {
		expect(hexToRgb('#abc')).toEqual([170, 187, 204]);
		expect(() => hexToRgb('red')).toThrow(SyntaxError);
	});
});
