import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { klFromLogits, logSumExp, negativeLogLikelihood, softmax } from './distribution.ts';
import { fixtureNormal } from './fixture.ts';
import { fromHalf, halfAtLeast, halfAtMost, halfBits, roundToHalf, toHalf } from './half.ts';
import { multiply, rankForEnergy, singularValues, svd, symmetricEigen } from './linear.ts';
import { inverseFrequencies, rotation } from './rope.ts';
import { argmax, descendingOrder, mean, quantile, topK, topKAscending } from './select.ts';

const finite = fc.double({ noNaN: true, noDefaultInfinity: true, min: -60000, max: 60000 });

describe('halves', () => {
	it('brings all 65536 bit patterns back', () => {
		const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
		const back = toHalf(fromHalf(bits));
		for (let i = 0; i < 65536; i++) {
			const isNaN = (i & 0x7c00) === 0x7c00 && (i & 0x3ff) !== 0;
			if (!isNaN && back[i] !== i) throw new Error(`${i} came back as ${back[i]}`);
		}
	});

	it('knows the landmarks', () => {
		expect([...toHalf([0, 1, -2, 65504, 2 ** -24, 1 / 3, 65520])]).toEqual([0, 0x3c00, 0xc000, 0x7bff, 1, 0x3555, 0x7c00]);
		// Ties go to even: 2049 lies between 2048 and 2050.
		expect(roundToHalf(2049)).toBe(2048);
		expect(roundToHalf(2051)).toBe(2052);
	});

	it('rounds outward to a neighbour', () => {
		fc.assert(fc.property(finite, (x) => {
			const [below, above] = [halfAtMost(x), halfAtLeast(x)];
			expect(below).toBeLessThanOrEqual(x);
			expect(above).toBeGreaterThanOrEqual(x);
			expect([below, above]).toContain(roundToHalf(x));
			if (below !== above) expect(Math.abs(halfBits(above) - halfBits(below)) <= 1 || below * above <= 0).toBe(true);
		}));
		expect(halfAtLeast(1e-9)).toBe(2 ** -24);
		expect(halfAtMost(-1e-9)).toBe(-(2 ** -24));
		expect(halfAtLeast(-1e-9)).toBe(-0);
	});
});

describe('distributions', () => {
	it('sums exponentials without overflow', () => {
		expect(logSumExp([1000, 1000])).toBeCloseTo(1000 + Math.LN2, 12);
		expect(logSumExp([])).toBe(-Infinity);
		expect([...softmax([-Infinity, 0])]).toEqual([0, 1]);
	});

	it('measures divergence in nats', () => {
		// 0.5 ln(0.5/0.25) + 0.5 ln(0.5/0.75)
		expect(klFromLogits([0, 0], [0, Math.log(3)])).toBeCloseTo(0.5 * Math.log(2) + 0.5 * Math.log(2 / 3), 12);
		expect(klFromLogits([3, -Infinity], [7, 0])).toBeCloseTo(Math.log(1 + Math.exp(-7)), 12);
		fc.assert(fc.property(fc.array(fc.tuple(finite, finite), { minLength: 1 }), finite, (pairs, shift) => {
			const [p, q] = [pairs.map(([a]) => a / 1000), pairs.map(([, b]) => b / 1000)];
			expect(klFromLogits(p, q)).toBeGreaterThanOrEqual(0);
			expect(klFromLogits(p, p)).toBe(0);
			expect(klFromLogits(p, q.map((x) => x + shift / 1000))).toBeCloseTo(klFromLogits(p, q), 6);
		}));
		expect(() => klFromLogits([0], [0, 1])).toThrow(RangeError);
	});

	it('gives surprise in nats', () => {
		expect(negativeLogLikelihood([0, 0, 0, 0], 2)).toBeCloseTo(Math.log(4), 12);
	});
});

describe('selection', () => {
	it('breaks ties to the lower index', () => {
		expect(argmax([1, 3, 3])).toBe(1);
		expect([...topK([2, 5, 5, 1, 5], 2)]).toEqual([1, 2]);
		expect([...topKAscending([0, 9, 1, 8], 2)]).toEqual([1, 3]);
		expect([...descendingOrder([NaN, 1, -Infinity, 2])]).toEqual([3, 1, 0, 2]);
		expect([...topK([1], 4)]).toEqual([0]);
		// Few of many are found without sorting; the order is the same, ties and NaN included.
		const many = Array.from({ length: 500 }, (_, i) => (i % 97 === 5 ? NaN : (i * 7919) % 60));
		for (const k of [1, 3, 8, 31, 32]) expect([...topK(many, k)]).toEqual([...descendingOrder(many).subarray(0, k)]);
	});

	it('takes quantiles between neighbours', () => {
		expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
		expect(quantile([4, 1, 3, 2], 1)).toBe(4);
		expect(mean([1, 2, 6])).toBe(3);
		expect(quantile([], 0.5)).toBeNaN();
	});
});

describe('rotation', () => {
	const rope = rotation(inverseFrequencies(16, 10000));
	const rows = fixtureNormal('rope', 48);

	it('keeps norms, adds up, and turns back', () => {
		const there = rope.rotate(rows, [5, 700, -3], 16);
		const back = rope.rotate(there, [-5, -700, 3], 16);
		back.forEach((x, i) => expect(x).toBeCloseTo(rows[i], 5));
		const twice = rope.rotate(rope.rotate(rows, [2, 300, 1], 16), [3, 400, -4], 16);
		twice.forEach((x, i) => expect(x).toBeCloseTo(there[i], 5));
		expect(rope.rotate(rows, [0, 0, 0], 16)).toEqual(rows);
	});

	it('turns channel i towards channel i + d/2', () => {
		const one = new Float32Array(16);
		one[1] = 1;
		const turned = rope.rotate(one, [2], 16);
		const angle = 2 * 10000 ** (-2 / 16);
		expect(turned[1]).toBeCloseTo(Math.cos(angle), 6);
		expect(turned[9]).toBeCloseTo(Math.sin(angle), 6);
	});

	it('refuses what does not fit', () => {
		expect(() => rope.rotate(rows, [1], 16)).toThrow(RangeError);
		expect(() => rope.rotate(rows, [1, 2], 24)).toThrow(RangeError);
	});
});

describe('linear algebra', () => {
	it.each([[7, 4], [4, 7], [5, 5], [1, 3]])('decomposes %d x %d', (rows, columns) => {
		const x = fixtureNormal(`svd ${rows}`, rows * columns);
		const { rank, values, left, right } = svd(x, rows, columns);
		expect(rank).toBe(Math.min(rows, columns));
		expect([...values]).toEqual([...values].sort((a, b) => b - a));
		for (let r = 0; r < rows; r++) {
			for (let c = 0; c < columns; c++) {
				let sum = 0;
				for (let i = 0; i < rank; i++) sum += left[r * rank + i] * values[i] * right[c * rank + i];
				expect(sum).toBeCloseTo(x[r * columns + c], 6);
			}
		}
		for (let i = 0; i < rank; i++) {
			for (let j = 0; j < rank; j++) {
				let dot = 0;
				for (let c = 0; c < columns; c++) dot += right[c * rank + i] * right[c * rank + j];
				expect(dot).toBeCloseTo(i === j ? 1 : 0, 8);
			}
		}
		singularValues(x, rows, columns).forEach((value, i) => expect(value).toBeCloseTo(values[i], 8));
	});

	it('has eigenvalues of X^T X = squared singular values', () => {
		const x = fixtureNormal('eigen', 30);
		const gram = new Float64Array(25);
		for (let r = 0; r < 6; r++) for (let i = 0; i < 5; i++) for (let j = 0; j < 5; j++) gram[i * 5 + j] += x[r * 5 + i] * x[r * 5 + j];
		const values = singularValues(x, 6, 5);
		symmetricEigen(gram, 5).values.forEach((value, i) => expect(value).toBeCloseTo(values[i] ** 2, 6));
	});

	it('counts the rank that holds a share of the energy', () => {
		expect(rankForEnergy([3, 1, 0], 0.9)).toBe(1);
		expect(rankForEnergy([3, 1, 0], 0.91)).toBe(2);
		expect(rankForEnergy([3, 1, 0], 1)).toBe(2);
		expect(rankForEnergy([0, 0], 0.9)).toBe(0);
	});

	it('multiplies', () => {
		expect([...multiply([1, 2, 3, 4], [5, 6, 7, 8], 2, 2, 2)]).toEqual([19, 22, 43, 50]);
		expect(() => svd([1, 2, 3], 2, 2)).toThrow(RangeError);
	});
});

it('makes the numbers of the conformance fixture', () => {
	const [a, b, c] = fixtureNormal('golden/model.embed_tokens.weight', 3);
	expect(a).toBeCloseTo(-0.4251021, 6);
	expect(b).toBeCloseTo(0.5432799, 6);
	expect(c).toBeCloseTo(0.0122158, 6);
});
