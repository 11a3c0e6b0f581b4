import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { svd } from '$lib/numerics/linear.ts';
import { random } from '$lib/numerics/random.ts';
import type { Codec, Payload } from '../types.ts';
import { packCodes, unpackCodes } from './bits.ts';
import { lowRankCodec } from './lowrank.ts';
import { uniformCodec, type UniformOptions } from './uniform.ts';

const normals = (count: number, seed: number) => {
	const draw = random(seed);
	return Float32Array.from({ length: count }, () => draw.normal());
};
const bytesOf = (payload: Payload) => payload.parts.reduce((sum, part) => sum + part.array.byteLength, 0);

function relativeMse(x: Float32Array, y: Float32Array): number {
	let [error, size] = [0, 0];
	x.forEach((value, i) => {
		error += (y[i] - value) ** 2;
		size += value ** 2;
	});
	return error / size;
}
const roundTrip = (codec: Codec, x: Float32Array, rows: number, columns: number) => codec.decode(codec.encode(x, rows, columns));

const bits = fc.integer({ min: 2, max: 8 });
const shape = fc.record({ rows: fc.integer({ min: 1, max: 13 }), columns: fc.integer({ min: 1, max: 21 }) });
const options = fc.record({
	bits, axis: fc.constantFrom('token' as const, 'channel' as const), group: fc.integer({ min: 1, max: 16 }), symmetric: fc.boolean()
});
/** Blocks of all temperaments: ordinary, constant, huge, tiny, offset. */
const block = (count: number) => fc.oneof(
	fc.array(fc.double({ min: -4, max: 4, noNaN: true }), { minLength: count, maxLength: count }),
	fc.double({ min: -60000, max: 60000, noNaN: true }).map((x) => new Array<number>(count).fill(x)),
	fc.array(fc.constantFrom(0, -0, 1e-40, -1e-40, 1e-8, 65504, -65504, 3e38, -3e38), { minLength: count, maxLength: count }),
	fc.array(fc.double({ min: 99, max: 101, noNaN: true }), { minLength: count, maxLength: count })
).map((numbers) => Float32Array.from(numbers));
const anyBlock = shape.chain(({ rows, columns }) => fc.record({ rows: fc.constant(rows), columns: fc.constant(columns), x: block(rows * columns) }));

describe('bitstream', () => {
	it('brings codes back for all widths and odd sizes', () => {
		fc.assert(fc.property(fc.integer({ min: 1, max: 8 }), shape, fc.integer(), (b, { rows, columns }, seed) => {
			const draw = random(seed);
			const codes = Uint8Array.from({ length: rows * columns }, () => draw.int(0, 2 ** b - 1));
			const packed = packCodes(codes, rows, columns, b);
			expect(packed.length).toBe(rows * Math.ceil((columns * b) / 8));
			expect(unpackCodes(packed, rows, columns, b)).toEqual(codes);
		}));
	});
});

describe('round to nearest', () => {
	// Relative error on standard normal numbers, from the literature's usual table.
	const table: Record<string, number[]> = {
		'asym 32': [0.1543, 0.0281, 0.00612, 0.00143, 0.00035],
		'asym 64': [0.2027, 0.037, 0.00804, 0.00188, 0.00046],
		'asym 128': [0.2502, 0.0457, 0.00993, 0.00233, 0.00056],
		'sym 32': [0.4332, 0.0514, 0.00942],
		'sym 64': [0.515, 0.0631, 0.0116],
		'sym 128': [0.5869, 0.0749, 0.0138]
	};
	it.each(Object.entries(table))('has the known error, %s', (name, errors) => {
		const [kind, group] = name.split(' ');
		const x = normals(128 * 2000, 7);
		errors.forEach((wanted, i) => {
			const codec = uniformCodec({ bits: i + 2, axis: 'token', group: Number(group), symmetric: kind === 'sym' });
			const measured = relativeMse(x, roundTrip(codec, x, 2000, 128));
			// The table has two or three digits; 2 % beside half of its last one.
			expect(Math.abs(measured - wanted)).toBeLessThan(0.02 * wanted + (wanted < 0.001 ? 5e-6 : 0));
		});
	});

	it('suits outlier channels per channel and loud tokens per token', () => {
		const [rows, d] = [2048, 64];
		const channel = normals(rows * d, 1).map((x, i) => (i % d === 5 ? 20 * x : x));
		const draw = random(2);
		const loud = Float64Array.from({ length: rows }, () => Math.exp(0.6 * draw.normal()));
		const token = normals(rows * d, 3).map((x, i) => x * loud[Math.floor(i / d)]);
		const perToken = uniformCodec({ bits: 2, axis: 'token', group: 64 });
		const perChannel = uniformCodec({ bits: 2, axis: 'channel', group: 128 });
		// Mean over channels of the error relative to that channel, for the channel case.
		const others = (x: Float32Array) => x.filter((_, i) => i % d !== 5);
		const error = (codec: Codec, x: Float32Array) => relativeMse(others(x), others(roundTrip(codec, x, rows, d)));
		expect(error(perToken, channel)).toBeGreaterThan(2.5 * error(perChannel, channel));
		expect(error(perChannel, channel)).toBeCloseTo(0.25, 2);
		expect(relativeMse(token, roundTrip(perToken, token, rows, d))).toBeCloseTo(0.2, 2);
		expect(relativeMse(token, roundTrip(perChannel, token, rows, d))).toBeGreaterThan(0.45);
	});

	it('leaves other channels untouched by one outlier channel', () => {
		const x = normals(32 * 8, 4);
		const y = x.map((value, i) => (i % 8 === 3 ? 20 * value : value));
		const codec = uniformCodec({ bits: 2, axis: 'channel', group: 32 });
		const [a, b] = [roundTrip(codec, x, 32, 8), roundTrip(codec, y, 32, 8)];
		a.forEach((value, i) => i % 8 !== 3 && expect(b[i]).toBe(value));
	});

	it('errs by half a step at most and stays finite, whatever the numbers', () => {
		fc.assert(fc.property(options, anyBlock, (o, { rows, columns, x }) => {
			const codec = uniformCodec(o);
			const payload = codec.encode(x, rows, columns);
			const y = codec.decode(payload);
			for (const { rowFrom, rowTo, columnFrom, columnTo, step } of codec.groups(payload)) {
				for (let r = rowFrom; r < rowTo; r++) {
					for (let c = columnFrom; c < columnTo; c++) {
						const [from, to] = [x[r * columns + c], y[r * columns + c]];
						expect(Number.isFinite(to)).toBe(true);
						// Halves end at 65504; the clamp is what they cost.
						const clamped = Math.max(-65504, Math.min(65504, from));
						if (clamped === from) expect(Math.abs(to - from)).toBeLessThanOrEqual(step! / 2 + Math.abs(from) * 2 ** -20 + 2 ** -25);
					}
				}
			}
		}), { numRuns: 300 });
	});

	it('rebuilds a constant group', () => {
		for (const symmetric of [false, true]) {
			for (const value of [0, 1, -3.25, 1000]) {
				const codec = uniformCodec({ bits: 2, axis: 'token', group: 8, symmetric });
				expect(roundTrip(codec, new Float32Array(16).fill(value), 2, 8)).toEqual(new Float32Array(16).fill(value));
			}
		}
		// What no half can hold comes back to a few parts in a million.
		const third = roundTrip(uniformCodec({ bits: 4, axis: 'channel', group: 4 }), new Float32Array(4).fill(1 / 3), 4, 1);
		third.forEach((y) => expect(Math.abs(y - 1 / 3)).toBeLessThan(1e-6));
	});

	it('changes nothing when done twice', () => {
		fc.assert(fc.property(options, shape, fc.integer(), (o, { rows, columns }, seed) => {
			const codec = uniformCodec(o);
			const once = codec.encode(normals(rows * columns, seed), rows, columns);
			const [first, second] = [codec.decode(once), roundTrip(codec, codec.decode(once), rows, columns)];
			for (const box of codec.groups(once)) {
				// A group far narrower than its distance from 0 has no half just below its least number.
				if (!o.symmetric && box.step! < Math.abs(box.lo!) * 2 ** -9) continue;
				// Subnormal halves are too far apart for a step that ends on the greatest number.
				if (box.step! > 0 && box.step! < 2 ** -14) continue;
				for (let r = box.rowFrom; r < box.rowTo; r++) {
					for (let c = box.columnFrom; c < box.columnTo; c++) {
						const at = r * columns + c;
						expect(Math.abs(second[at] - first[at])).toBeLessThanOrEqual(2 ** -20 * Math.max(1, Math.abs(first[at])));
					}
				}
			}
		}), { numRuns: 300 });
	});

	it('gets better with bits and worse with larger groups', () => {
		const x = normals(64 * 256, 5);
		const error = (o: Partial<UniformOptions>) => relativeMse(x, roundTrip(uniformCodec({ bits: 4, axis: 'token', group: 32, ...o }), x, 64, 256));
		for (let b = 2; b < 8; b++) expect(error({ bits: b + 1 })).toBeLessThan(error({ bits: b }));
		for (const group of [16, 32, 64, 128]) expect(error({ group: 2 * group })).toBeGreaterThan(error({ group }));
	});

	it('covers the block with its groups, each number once', () => {
		fc.assert(fc.property(options, anyBlock, (o, { rows, columns, x }) => {
			const codec = uniformCodec(o);
			const seen = new Uint8Array(rows * columns);
			for (const box of codec.groups(codec.encode(x, rows, columns))) {
				for (let r = box.rowFrom; r < box.rowTo; r++) for (let c = box.columnFrom; c < box.columnTo; c++) seen[r * columns + c]++;
			}
			expect([...seen].every((count) => count === 1)).toBe(true);
		}));
	});

	it('costs what the formula says: b + 32/G, symmetric b + 16/G bits a number', () => {
		const x = normals(64 * 128, 6);
		for (const group of [32, 64, 128]) {
			for (const b of [2, 4, 8]) {
				expect((8 * bytesOf(uniformCodec({ bits: b, axis: 'token', group }).encode(x, 64, 128))) / x.length).toBe(b + 32 / group);
				expect((8 * bytesOf(uniformCodec({ bits: b, axis: 'token', group, symmetric: true }).encode(x, 64, 128))) / x.length).toBe(b + 16 / group);
			}
		}
		expect((8 * bytesOf(uniformCodec({ bits: 2, axis: 'channel', group: 32 }).encode(x, 64, 128))) / x.length).toBe(3);
	});

	it('is the identity at 16 bits, bit for bit', () => {
		const x = Float32Array.of(1 / 3, -0, 1e-40, 3e38);
		expect(roundTrip(uniformCodec({ bits: 16, axis: 'token', group: 4 }), x, 1, 4)).toEqual(x);
	});

	it('refuses what it cannot do', () => {
		expect(() => uniformCodec({ bits: 1, axis: 'token', group: 4 })).toThrow(/2 to 8 bits/);
		expect(() => uniformCodec({ bits: 4, axis: 'token', group: 0 })).toThrow(/at least one/);
		const codec = uniformCodec({ bits: 4, axis: 'token', group: 4 });
		expect(() => codec.encode(new Float32Array(7), 2, 4)).toThrow(/not a block/);
		expect(() => codec.encode(Float32Array.of(NaN), 1, 1)).toThrow(/finite/);
	});
});

describe('rows that are stored apart', () => {
	it('are what encoding them alone gives', () => {
		fc.assert(fc.property(options, anyBlock, fc.integer(), (o, { rows, columns, x }, seed) => {
			const codec = uniformCodec({ ...o, axis: 'token' });
			const draw = random(seed);
			const kept = Array.from({ length: rows }, (_, r) => r).filter(() => draw.chance(0.5));
			if (kept.length === 0) kept.push(0);
			const alone = Float32Array.from(kept.flatMap((r) => [...x.subarray(r * columns, (r + 1) * columns)]));
			expect(codec.keepRows!(codec.encode(x, rows, columns), kept)).toEqual(codec.encode(alone, kept.length, columns));
		}));
		expect(uniformCodec({ bits: 2, axis: 'channel', group: 4 }).keepRows).toBeUndefined();
	});
});

describe('projection', () => {
	const [rows, columns] = [20, 8];
	const x = normals(rows * columns, 8);
	const { values, right } = svd(x, rows, columns);
	const basis = (rank: number) => Float64Array.from({ length: columns * rank }, (_, i) => right[Math.floor(i / rank) * columns + (i % rank)]);

	it('loses exactly the energy of the singular values it drops', () => {
		for (let rank = 1; rank <= columns; rank++) {
			const y = roundTrip(lowRankCodec({ basis: basis(rank), columns, rank, precision: 32 }), x, rows, columns);
			let error = 0;
			x.forEach((value, i) => (error += (value - y[i]) ** 2));
			const dropped = values.slice(rank).reduce((sum, s) => sum + s * s, 0);
			expect(Math.abs(error - dropped)).toBeLessThan(1e-4 * values[0] ** 2);
		}
	});

	it('bills coordinates and one basis', () => {
		const codec = lowRankCodec({ basis: basis(3), columns, rank: 3, precision: 16 });
		const [a, b] = [codec.encode(x, rows, columns), codec.encode(x.slice(0, 16), 2, columns)];
		expect(a.parts.map((part) => [part.item, part.array.byteLength])).toEqual([['payload', rows * 3 * 2], ['codebooks', 8 * 3 * 2]]);
		expect(a.parts[1].array).toBe(b.parts[1].array);
		expect(codec.decode(codec.keepRows!(a, [0, 1]))).toEqual(codec.decode(b));
		expect(relativeMse(codec.decode(a), roundTrip(lowRankCodec({ basis: basis(3), columns, rank: 3, precision: 32 }), x, rows, columns))).toBeLessThan(1e-5);
	});

	it('refuses a basis that does not fit', () => {
		expect(() => lowRankCodec({ basis: basis(3), columns, rank: 4, precision: 16 })).toThrow(RangeError);
		expect(() => lowRankCodec({ basis: basis(2), columns, rank: 2, precision: 16 }).encode(x, 16, 10)).toThrow(RangeError);
	});
});
