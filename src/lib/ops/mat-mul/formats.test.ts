import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { roundToHalf } from '$lib/numerics/half.ts';
import { fittingFormat, GROUP, pack, PACKINGS, unpack, type WeightFormat } from './formats.ts';

const PACKED = ['f16', 'int8', 'int4'] as const;
/** Float32 numbers of any size that weights may have, zeros and subnormal halves among them. */
const numbers = (length: number) => fc.float32Array({ minLength: length, maxLength: length, noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 });
const rows = fc.integer({ min: 1, max: 3 }).chain((count) => numbers(count * 64));

/** Largest magnitude of each group of 32, a number a group. */
const largest = (values: Float32Array) => Array.from({ length: values.length / GROUP }, (_, g) =>
	values.subarray(g * GROUP, (g + 1) * GROUP).reduce((most, x) => Math.max(most, Math.abs(x)), 0));

describe('weight formats', () => {
	it.each(PACKED)('%s: what was unpacked packs to the same words', (format) => {
		fc.assert(fc.property(rows, (values) => {
			const once = pack(values, 64, format);
			const back = unpack(once, format);
			const twice = pack(back, 64, format);
			expect(Array.from(unpack(twice, format))).toEqual(Array.from(back));
			expect(once.words.length * PACKINGS[format].perWord).toBe(values.length);
		}));
	});

	it('f16 rounds each number to the nearest half', () => {
		const bits = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => new Float32Array(bytes.buffer.slice(0, 32)));
		fc.assert(fc.property(bits, (any) => {
			const values = any.map((x) => (Number.isFinite(x) ? x : 1));
			const clamped = Array.from(values, (x) => Math.max(-65504, Math.min(65504, roundToHalf(x))));
			expect(Array.from(unpack(pack(values, 8, 'f16'), 'f16'))).toEqual(clamped);
		}), { numRuns: 500 });
	});

	it.each([['int8', 127], ['int4', 8]] as const)('%s is within half a step of its group', (format, steps) => {
		fc.assert(fc.property(rows, (values) => {
			const back = unpack(pack(values, 64, format), format);
			const most = largest(values);
			// Code 16 does not exist in int4: the far side of a group may lie a whole step off.
			const allowed = format === 'int4' ? 1.0001 : 0.5001;
			const excess = back.map((x, i) => Math.abs(x - values[i]) - (most[Math.floor(i / GROUP)] / steps) * allowed);
			expect(Math.max(...excess)).toBeLessThanOrEqual(1e-38);
		}));
	});

	it.each([['int8', 127, -127], ['int4', 7, -8]] as const)('%s gives back numbers that lie on such a grid', (format, top, bottom) => {
		const codes = fc.array(fc.integer({ min: bottom, max: top }), { minLength: GROUP, maxLength: GROUP });
		fc.assert(fc.property(codes, fc.constantFrom(0.5, -0.015625, 0.0107421875), (list, step) => {
			// GGUF's quantizers always use the code of the largest magnitude.
			const values = Float32Array.from([...list.slice(0, -1), bottom], (code) => code * step);
			const back = unpack(pack(values, GROUP, format), format);
			expect(Math.max(...back.map((x, i) => Math.abs(x - values[i]) - 1e-6 * Math.abs(values[i])))).toBeLessThanOrEqual(0);
		}));
	});

	it.each<[WeightFormat, number, WeightFormat]>([
		['int4', 64, 'int4'], ['int8', 40, 'f16'], ['int4', 12, 'f32'], ['f16', 9, 'f32'], ['f16', 24, 'f16'], ['f32', 3, 'f32']
	])('%s for rows of %i is %s', (wanted, inputs, fits) => {
		expect(fittingFormat(wanted, inputs)).toBe(fits);
	});

	it('refuses rows that do not fit', () => {
		expect(() => pack(new Float32Array(40), 40, 'int8')).toThrow(RangeError);
		expect(() => pack(new Float32Array(33), 32, 'int4')).toThrow(RangeError);
		expect(() => pack(new Float32Array(32), 32, 'f32')).toThrow(RangeError);
	});
});
