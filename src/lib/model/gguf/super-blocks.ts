/**
 * The K-quants of GGML: super-blocks of 256 numbers, whose 8 or 16 groups have scales of few bits,
 * themselves scaled by one half float. Defined by the structs of ggml-common.h.
 */
import { blocks, half } from './blocks.ts';

/** Groups of 16: scale and offset of 4 bits each; codes of 2 bits. */
export const Q2_K = blocks(256, 84, (bytes, at, out, to) => {
	const scale = half(bytes, at + 80);
	const offset = half(bytes, at + 82);
	for (let group = 0; group < 16; group++) {
		const [codes, shift] = placeOfTwoBits(at + 16, group);
		const up = scale * (bytes[at + group] & 15);
		const down = offset * (bytes[at + group] >> 4);
		for (let l = 0; l < 16; l++) out[to + 16 * group + l] = up * ((bytes[codes + l] >> shift) & 3) - down;
	}
});

/** Groups of 16: scale of 6 bits; codes of 3 bits, the third kept apart and upside down. */
export const Q3_K = blocks(256, 110, (bytes, at, out, to) => {
	const scale = half(bytes, at + 108);
	const scales = at + 96;
	for (let group = 0; group < 16; group++) {
		const [codes, shift] = placeOfTwoBits(at + 32, group);
		const low = group < 8 ? bytes[scales + group] & 15 : bytes[scales + group - 8] >> 4;
		const high = (bytes[scales + 8 + (group & 3)] >> (2 * (group >> 2))) & 3;
		const up = scale * ((low | (high << 4)) - 32);
		const third = at + 16 * (group & 1);
		for (let l = 0; l < 16; l++) {
			const below = (bytes[third + l] >> (group >> 1)) & 1 ? 0 : 4;
			out[to + 16 * group + l] = up * (((bytes[codes + l] >> shift) & 3) - below);
		}
	}
});

/** Codes of two bits: 32 bytes hold 128 numbers, each pair of groups in its own two bits. */
function placeOfTwoBits(codes: number, group: number): [at: number, shift: number] {
	return [codes + 32 * (group >> 3) + 16 * (group & 1), 2 * ((group >> 1) & 3)];
}

/** Eight scales and offsets of 6 bits in 12 bytes. */
function sixBits(bytes: Uint8Array, at: number, group: number): [scale: number, offset: number] {
	if (group < 4) return [bytes[at + group] & 63, bytes[at + group + 4] & 63];
	const low = bytes[at + group + 4];
	return [(low & 15) | ((bytes[at + group - 4] >> 6) << 4), (low >> 4) | ((bytes[at + group] >> 6) << 4)];
}

/** Groups of 32: scale and offset of 6 bits; codes of 4 bits. */
export const Q4_K = blocks(256, 144, (bytes, at, out, to) => {
	const scale = half(bytes, at);
	const offset = half(bytes, at + 2);
	for (let group = 0; group < 8; group++) {
		const [up, down] = sixBits(bytes, at + 4, group);
		const codes = at + 16 + 32 * (group >> 1);
		const shift = 4 * (group & 1);
		for (let l = 0; l < 32; l++) out[to + 32 * group + l] = scale * up * ((bytes[codes + l] >> shift) & 15) - offset * down;
	}
});

/** As Q4_K, with a fifth bit: bit `group` of 32 bytes. */
export const Q5_K = blocks(256, 176, (bytes, at, out, to) => {
	const scale = half(bytes, at);
	const offset = half(bytes, at + 2);
	for (let group = 0; group < 8; group++) {
		const [up, down] = sixBits(bytes, at + 4, group);
		const codes = at + 48 + 32 * (group >> 1);
		const shift = 4 * (group & 1);
		for (let l = 0; l < 32; l++) {
			const code = ((bytes[codes + l] >> shift) & 15) | (((bytes[at + 16 + l] >> group) & 1) << 4);
			out[to + 32 * group + l] = scale * up * code - offset * down;
		}
	}
});

/** Groups of 16: scale of 8 bits; codes of 6 bits, four low ones and two high ones kept apart. */
export const Q6_K = blocks(256, 210, (bytes, at, out, to) => {
	const scale = half(bytes, at + 208);
	for (let group = 0; group < 16; group++) {
		const up = scale * ((bytes[at + 192 + group] << 24) >> 24);
		const quarter = (group >> 1) & 3;
		const low = at + 64 * (group >> 3) + 32 * (quarter & 1) + 16 * (group & 1);
		const high = at + 128 + 32 * (group >> 3) + 16 * (group & 1);
		for (let l = 0; l < 16; l++) {
			const four = (bytes[low + l] >> (4 * (quarter >> 1))) & 15;
			const two = (bytes[high + l] >> (2 * quarter)) & 3;
			out[to + 16 * group + l] = up * ((four | (two << 4)) - 32);
		}
	}
});
