/**
 * How the numbers of a weight lie in memory. Packed rows are whole 32-bit words, little end first:
 *
 * - `f32`: numbers as they are.
 * - `f16`: two halves a word, rounded to nearest even, clamped to +-65504.
 * - `int8`: four codes a word, -127 … 127; a group of 32 numbers shares a scale, its largest magnitude
 *   (number = code / 127 x scale, so that WGSL's unpack4x8snorm gives the factor).
 * - `int4`: eight codes a word, 0 … 15 with 8 for zero, groups of 32 as GGUF's Q4_0 has them: the number of
 *   largest magnitude is code 0. Word j of a group holds numbers 8j …: the low nibbles of its bytes are the
 *   first four, the high nibbles the other four. Scale = 255 steps (number = (code - 8) / 255 x scale), for
 *   unpack4x8unorm.
 *
 * Numbers that were stored as Q8_0 or Q4_0 come back as they were (to float32's rounding).
 */
import { halfBits, halfValue } from '$lib/numerics/half.ts';

export type WeightFormat = 'f32' | 'f16' | 'int8' | 'int4';

/** Numbers that share a scale. */
export const GROUP = 32;

interface Packing {
	/** Numbers of a 32-bit word. */
	perWord: number;
	/** Rows must be a multiple of this long: kernels read four words at a time. */
	multiple: number;
	scaled: boolean;
}

export const PACKINGS: Record<WeightFormat, Packing> = {
	f32: { perWord: 1, multiple: 1, scaled: false },
	f16: { perWord: 2, multiple: 8, scaled: false },
	int8: { perWord: 4, multiple: GROUP, scaled: true },
	int4: { perWord: 8, multiple: GROUP, scaled: true }
};

/** `wanted` if rows of this length fit it, else f16, else f32. */
export function fittingFormat(wanted: WeightFormat, inputs: number): WeightFormat {
	return ([wanted, 'f16', 'f32'] as const).find((format) => inputs % PACKINGS[format].multiple === 0)!;
}

export interface PackedRows {
	/** rows x inputs / perWord */
	words: Int32Array;
	/** rows x inputs / 32, of scaled formats. */
	scales?: Float32Array;
}

/** Packs whole rows of finite numbers. Throws RangeError when the rows do not fit the format, or for f32. */
export function pack(numbers: Float32Array, inputs: number, format: WeightFormat): PackedRows {
	if (format === 'f32') throw new RangeError('f32 is not packed');
	if (inputs % PACKINGS[format].multiple !== 0 || numbers.length % inputs !== 0) {
		throw new RangeError(`${numbers.length} numbers are not whole rows of ${inputs} that fit ${format}`);
	}
	const words = new Int32Array(numbers.length / PACKINGS[format].perWord);
	if (format === 'f16') {
		packHalves(numbers, words);
		return { words };
	}
	const scales = new Float32Array(numbers.length / GROUP);
	const packGroup = format === 'int8' ? packBytes : packNibbles;
	for (let g = 0; g < scales.length; g++) scales[g] = packGroup(numbers, g * GROUP, words);
	return { words, scales };
}

/** The numbers that packed rows stand for, as kernels see them. */
export function unpack({ words, scales }: PackedRows, format: WeightFormat): Float32Array {
	const { perWord } = PACKINGS[format];
	const numbers = new Float32Array(words.length * perWord);
	for (let i = 0; i < numbers.length; i++) {
		const word = words[Math.floor(i / perWord)];
		const place = i % perWord;
		if (format === 'f16') numbers[i] = halfValue((word >>> (16 * place)) & 0xffff);
		else if (format === 'int8') numbers[i] = (((word << (24 - 8 * place)) >> 24) / 127) * scales![Math.floor(i / GROUP)];
		else numbers[i] = ((((word >>> (8 * (place & 3) + (place & 4))) & 15) - 8) / 255) * scales![Math.floor(i / GROUP)];
	}
	return numbers;
}

function packHalves(numbers: Float32Array, words: Int32Array): void {
	const bits = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
	for (let i = 0; i < words.length; i++) words[i] = half(bits[2 * i], numbers[2 * i]) | (half(bits[2 * i + 1], numbers[2 * i + 1]) << 16);
}

/** Bits of the nearest half, from the bits of a float32: many times faster than by way of doubles. */
function half(bits: number, number: number): number {
	const size = bits & 0x7fffffff;
	const sign = (bits >>> 16) & 0x8000;
	if (size >= 0x477ff000) return sign | 0x7bff;
	if (size < 0x38800000) return halfBits(number);
	return sign | ((size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13);
}

function packBytes(numbers: Float32Array, from: number, words: Int32Array): number {
	let largest = 0;
	for (let i = from; i < from + GROUP; i++) largest = Math.max(largest, Math.abs(numbers[i]));
	const toCode = largest > 0 ? 127 / largest : 0;
	for (let i = from; i < from + GROUP; i += 4) {
		let word = 0;
		for (let b = 0; b < 4; b++) word |= (Math.round(numbers[i + b] * toCode) & 255) << (8 * b);
		words[i / 4] = word;
	}
	return largest;
}

function packNibbles(numbers: Float32Array, from: number, words: Int32Array): number {
	let largest = 0;
	for (let i = from; i < from + GROUP; i++) if (Math.abs(numbers[i]) > Math.abs(largest)) largest = numbers[i];
	const toCode = largest === 0 ? 0 : -8 / largest;
	for (let i = from; i < from + GROUP; i += 8) {
		let word = 0;
		for (let b = 0; b < 8; b++) {
			const code = Math.min(15, Math.floor(numbers[i + b] * toCode + 8.5));
			word |= code << (8 * (b & 3) + (b & 4));
		}
		words[i / 8] = word;
	}
	return (largest / -8) * 255;
}
