import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { halfBits, halfValue } from '$lib/numerics/half.ts';
import { ModelError } from './error.ts';
import { bytesOf, formatOf, rowsOf, toFloat32, type StoredTensor } from './stored.ts';

const fromBase64 = (text: string) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const { formats } = JSON.parse(readFileSync('conformance/gguf-blocks.json', 'utf8')) as { formats: Record<string, { bytes: string; numbers: string }> };
const reference = Object.entries(formats).map(([dtype, { bytes, numbers }]) => ({ dtype, bytes: fromBase64(bytes), numbers: new Float32Array(fromBase64(numbers).buffer) }));
const bits = (numbers: Float32Array) => Array.from(new Uint32Array(numbers.buffer));

describe.each(reference)('numbers stored as $dtype', ({ dtype, bytes, numbers }) => {
	const format = formatOf(dtype)!;

	it('are those of gguf-py, to the last bit', () => {
		const tensor: StoredTensor = { name: 'x', dtype, shape: [numbers.length], bytes };
		expect(bytesOf(dtype, tensor.shape)).toBe(bytes.length);
		expect(bits(toFloat32(tensor))).toEqual(bits(numbers));
	});

	it('come row by row, at any alignment', () => {
		const columns = format.numbers;
		const moved = new Uint8Array(bytes.length + 3);
		moved.set(bytes, 3);
		const tensor: StoredTensor = { name: 'x', dtype, shape: [numbers.length / columns, columns], bytes: moved.subarray(3) };
		expect(bits(rowsOf(tensor, 1, 2))).toEqual(bits(numbers.slice(columns, 2 * columns)));
		expect(rowsOf(tensor, 1, 1)).toEqual(new Float32Array(0));
		expect(() => rowsOf(tensor, 1, tensor.shape[0] + 1)).toThrow(RangeError);
	});
});

/** Encoders written from the definitions, one number at a time, for the tests. */
const encoders: Record<string, { levels: [number, number]; write(codes: number[], scale: number, low: number): Uint8Array }> = {
	Q8_0: { levels: [-128, 127], write: (codes, scale) => Uint8Array.of(...halfBytes(scale), ...codes.map((c) => c & 255)) },
	Q4_0: { levels: [-8, 7], write: (codes, scale) => Uint8Array.of(...halfBytes(scale), ...nibbles(codes.map((c) => c + 8))) },
	Q4_1: { levels: [0, 15], write: (codes, scale, low) => Uint8Array.of(...halfBytes(scale), ...halfBytes(low), ...nibbles(codes)) },
	Q5_0: { levels: [-16, 15], write: (codes, scale) => Uint8Array.of(...halfBytes(scale), ...fifths(codes.map((c) => c + 16)), ...nibbles(codes.map((c) => (c + 16) & 15))) },
	Q5_1: { levels: [0, 31], write: (codes, scale, low) => Uint8Array.of(...halfBytes(scale), ...halfBytes(low), ...fifths(codes), ...nibbles(codes.map((c) => c & 15))) }
};
const halfBytes = (x: number) => [halfBits(x) & 255, halfBits(x) >> 8];
const nibbles = (codes: number[]) => Array.from({ length: 16 }, (_, j) => codes[j] | (codes[j + 16] << 4));
const fifths = (codes: number[]) => [0, 8, 16, 24].map((from) => codes.slice(from, from + 8).reduce((byte, code, i) => byte | ((code >> 4) << i), 0));

describe.each(Object.entries(encoders))('a block written as %s', (dtype, { levels: [least, most], write }) => {
	it('gives back scale x code + lowest', () => {
		const half = fc.integer({ min: 0, max: 0x7bff }).map(halfValue);
		fc.assert(fc.property(fc.array(fc.integer({ min: least, max: most }), { minLength: 32, maxLength: 32 }), half, half, (codes, scale, low) => {
			const tensor = { name: 'x', dtype, shape: [1, 32], bytes: write(codes, scale, low) };
			expect(toFloat32(tensor)).toEqual(Float32Array.from(codes, (code) => (dtype.endsWith('1') ? scale * code + low : scale * code)));
		}));
	});
});

describe('sizes', () => {
	it('are those of whole blocks', () => {
		expect(bytesOf('Q4_K', [3, 512])).toBe(3 * 2 * 144);
		expect(bytesOf('Q4_K', [512, 3])).toBeNaN();
		expect(bytesOf('F32', [])).toBe(4);
		expect(bytesOf('F32', [0, 2 ** 50])).toBe(0);
		expect(bytesOf('F32', [2 ** 30, 2 ** 30])).toBe(Infinity);
		expect(bytesOf('U8', [4])).toBeNull();
	});

	it('of other dtypes are refused when they are read', () => {
		expect(() => toFloat32({ name: 'x', dtype: 'I64', shape: [1], bytes: new Uint8Array(8) })).toThrow(ModelError);
		expect(() => toFloat32({ name: 'x', dtype: 'constructor', shape: [1], bytes: new Uint8Array(8) })).toThrow('x is stored as constructor; only F32, F16, BF16');
	});
});
