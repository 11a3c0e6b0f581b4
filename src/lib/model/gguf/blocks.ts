/**
 * Quantized blocks of GGML, 32 numbers each with its own scale. Defined by the structs of
 * ggml-common.h; numbers come out as float32 exactly as GGML's own dequantizers give them:
 * every product below is exact in a double, so there is one rounding, when it is stored.
 */
import { halfValue } from '$lib/numerics/half.ts';

/** How a type of tensor keeps its numbers: in blocks of `numbers` that take `bytes`. */
export interface Format {
	numbers: number;
	bytes: number;
	/** Fills `out`, a whole number of blocks, from the first bytes. */
	decode(bytes: Uint8Array, out: Float32Array): void;
}

/** A format from the decoder of one block, which begins at `bytes[at]` and goes to `out[to]`. */
export function blocks(numbers: number, size: number, one: (bytes: Uint8Array, at: number, out: Float32Array, to: number) => void): Format {
	return {
		numbers,
		bytes: size,
		decode(bytes, out) {
			for (let at = 0, to = 0; to < out.length; at += size, to += numbers) one(bytes, at, out, to);
		}
	};
}

/** The half float whose two bytes begin at `at`. */
export const half = (bytes: Uint8Array, at: number): number => halfValue(bytes[at] | (bytes[at + 1] << 8));

/** scale x (code - 8). */
export const Q4_0 = blocks(32, 18, (bytes, at, out, to) => {
	const scale = half(bytes, at);
	for (let j = 0; j < 16; j++) {
		const code = bytes[at + 2 + j];
		out[to + j] = scale * ((code & 15) - 8);
		out[to + 16 + j] = scale * ((code >> 4) - 8);
	}
});

/** scale x code + lowest. */
export const Q4_1 = blocks(32, 20, (bytes, at, out, to) => {
	const scale = half(bytes, at);
	const lowest = half(bytes, at + 2);
	for (let j = 0; j < 16; j++) {
		const code = bytes[at + 4 + j];
		out[to + j] = scale * (code & 15) + lowest;
		out[to + 16 + j] = scale * (code >> 4) + lowest;
	}
});

/** The fifth bit of number j: four bytes at `at` hold one bit a number. */
const fifth = (bytes: Uint8Array, at: number, j: number): number => ((bytes[at + (j >> 3)] >> (j & 7)) & 1) << 4;

/** scale x (code - 16). */
export const Q5_0 = blocks(32, 22, (bytes, at, out, to) => {
	const scale = half(bytes, at);
	for (let j = 0; j < 16; j++) {
		const code = bytes[at + 6 + j];
		out[to + j] = scale * (((code & 15) | fifth(bytes, at + 2, j)) - 16);
		out[to + 16 + j] = scale * (((code >> 4) | fifth(bytes, at + 2, j + 16)) - 16);
	}
});

/** scale x code + lowest. */
export const Q5_1 = blocks(32, 24, (bytes, at, out, to) => {
	const scale = half(bytes, at);
	const lowest = half(bytes, at + 2);
	for (let j = 0; j < 16; j++) {
		const code = bytes[at + 8 + j];
		out[to + j] = scale * ((code & 15) | fifth(bytes, at + 4, j)) + lowest;
		out[to + 16 + j] = scale * ((code >> 4) | fifth(bytes, at + 4, j + 16)) + lowest;
	}
});

/** scale x code, codes from -128 to 127. */
export const Q8_0 = blocks(32, 34, (bytes, at, out, to) => {
	const scale = half(bytes, at);
	for (let j = 0; j < 32; j++) out[to + j] = scale * ((bytes[at + 2 + j] << 24) >> 24);
});

/** Sixteen unevenly spaced levels, denser about zero. */
const LEVELS = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

/** scale x level. llama.cpp falls back on it where a row is no multiple of 256. */
export const IQ4_NL = blocks(32, 18, (bytes, at, out, to) => {
	const scale = half(bytes, at);
	for (let j = 0; j < 16; j++) {
		const code = bytes[at + 2 + j];
		out[to + j] = scale * LEVELS[code & 15];
		out[to + 16 + j] = scale * LEVELS[code >> 4];
	}
});
