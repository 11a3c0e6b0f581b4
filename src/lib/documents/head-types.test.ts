import { describe, expect, it } from 'vitest';
import { random } from '$lib/numerics/random.ts';
import { copiedFrom, FIRST, headType, LAST, massesIn, massesOf, meanMasses, SHARE, type HeadMasses } from './head-types.ts';
import type { ModelShape, TypesProbe } from './trace.ts';

/** A row that sums to one; `peaks` get that much of it, the rest is shared at random. */
function attention(n: number, peaks: [number, number][], seed: string): Float64Array {
	const rng = random(seed);
	const row = Float64Array.from({ length: n }, () => rng.uniform());
	const rest = 1 - peaks.reduce((sum, [, mass]) => sum + mass, 0);
	const total = row.reduce((a, b) => a + b, 0);
	return peaks.reduce((out, [p, mass]) => {
		out[p] += mass;
		return out;
	}, row.map((x) => (x / total) * rest));
}

describe('masses of a row', () => {
	it('are those that a position by position count gives, for any length and any copied tokens', () => {
		for (let n = 1; n <= 60; n++) {
			const row = attention(n, [], `row ${n}`);
			const rng = random(`copied ${n}`);
			const copied = Array.from({ length: n }, (_, p) => p).filter(() => rng.uniform() < 0.2);
			let [first, last, far] = [0, 0, 0];
			let any = false;
			for (let p = 0; p < n; p++) {
				if (p < FIRST) first += row[p];
				else if (n - p <= LAST) last += row[p];
				else if (copied.includes(p)) {
					far += row[p];
					any = true;
				}
			}
			const masses = massesOf(row, copied);
			expect(masses.first).toBeCloseTo(first, 12);
			expect(masses.last).toBeCloseTo(last, 12);
			if (any) expect(masses.copied).toBeCloseTo(far, 12);
			else expect(masses.copied).toBeNull();
			expect(masses.first + masses.last + (masses.copied ?? 0)).toBeLessThanOrEqual(1 + 1e-12);
		}
	});

	it('have means over steps, and that of the copies over the steps that copied', () => {
		const steps: HeadMasses[] = [{ first: 0.2, last: 0.4, copied: null }, { first: 0.4, last: 0, copied: 0.5 }, { first: 0, last: 0.2, copied: 0.1 }];
		const mean = meanMasses(steps);
		expect([mean.first, mean.last, mean.copied]).toEqual([expect.closeTo(0.2, 12), expect.closeTo(0.2, 12), expect.closeTo(0.3, 12)]);
		expect(meanMasses(steps.slice(0, 1)).copied).toBeNull();
		expect(meanMasses([])).toEqual({ first: 0, last: 0, copied: null });
	});
});

describe('the type of a head', () => {
	const copied = [40, 41];
	const typeOf = (peaks: [number, number][]) => headType(meanMasses([1, 2, 3].map((seed) => massesOf(attention(100, peaks, `head ${seed}`), copied))));

	it('is the place that gets most of its mass', () => {
		expect(typeOf([[0, 0.8]])).toBe('sink');
		expect(typeOf([[99, 0.5], [90, 0.3]])).toBe('local');
		expect(typeOf([[40, 0.8]])).toBe('retrieval');
		expect(typeOf([[40, 0.4], [41, 0.4]])).toBe('retrieval');
	});

	it('is mixed where no place gets half, and where the mass lies elsewhere', () => {
		expect(typeOf([[0, 0.3], [98, 0.3], [40, 0.3]])).toBe('mixed');
		expect(typeOf([[60, 0.9]])).toBe('mixed');
		expect(headType({ first: SHARE - 1e-9, last: 0.1, copied: 0.1 })).toBe('mixed');
		expect(headType({ first: SHARE, last: 0.1, copied: 0.1 })).toBe('sink');
		expect(headType({ first: 0, last: 0, copied: null })).toBe('mixed');
	});

	it('is the largest where several reach the share: copies are counted in other steps than the rest', () => {
		expect(headType({ first: 0.6, last: 0.2, copied: 0.9 })).toBe('retrieval');
		expect(headType({ first: 0.9, last: 0.05, copied: 0.6 })).toBe('sink');
		expect(headType({ first: 0.2, last: 0.3, copied: 0.4 }, 0.25)).toBe('retrieval');
	});
});

it('a token is copied from where an answer holds it, and from nowhere else', () => {
	const prompt = { ids: [5, 7, 5, 9, 5, 7], needles: [[1, 4], [2, 5]] as [number, number][] };
	expect(copiedFrom(prompt, 5)).toEqual([2, 4]);
	expect(copiedFrom(prompt, 7)).toEqual([1]);
	expect(copiedFrom(prompt, 3)).toEqual([]);
	expect(copiedFrom({ ...prompt, needles: [] }, 5)).toEqual([]);
});

it('a probe is read by layer and query head, and says nothing of copies where there were none', () => {
	const model = { layers: 2, heads: 2 } as ModelShape;
	const probe: TypesProbe = { kind: 'types', steps: 3, copies: 1, first: Float32Array.of(0, 0.25, 0.5, 0.75), last: Float32Array.of(0, 0, 0.5, 0), copied: Float32Array.of(0, 0, 0, 0.125) };
	expect(massesIn(probe, model, 1, 1)).toEqual({ first: 0.75, last: 0, copied: 0.125 });
	expect(massesIn({ ...probe, copies: 0 }, model, 1, 1).copied).toBeNull();
});
