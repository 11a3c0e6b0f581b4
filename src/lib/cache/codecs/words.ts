/**
 * Plain numbers as the words that a real cache stores: halves (f16), the upper halves of float32
 * (bf16, as most servers keep them) and float32 itself. Bit 0 is the lowest; the highest is the sign.
 */
import { halfBits, halfValue } from '$lib/numerics/half.ts';
import type { Codec, Word } from '../types.ts';
import { takeRows } from './bits.ts';

const float = new Float32Array(1);
const bits32 = new Uint32Array(float.buffer);

interface Format {
	title: string;
	bits: 16 | 32;
	/** Word of the nearest number, ties to even. */
	toWord(x: number): number;
	toNumber(word: number): number;
}

export const WORDS: Record<Word, Format> = {
	f16: { title: 'half floats', bits: 16, toWord: halfBits, toNumber: halfValue },
	bf16: {
		title: 'bfloat16', bits: 16,
		toWord(x) {
			float[0] = x;
			const word = bits32[0];
			if (Number.isNaN(x)) return (word >>> 16) | 0x40;
			return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
		},
		toNumber: (word) => fromBits32(word << 16)
	},
	f32: {
		title: 'float32', bits: 32,
		toWord(x) {
			float[0] = x;
			return bits32[0];
		},
		toNumber: fromBits32
	}
};

function fromBits32(word: number): number {
	bits32[0] = word;
	return float[0];
}

/** Every number as one word of 16 bits, rounded to it. Unlike an exact slot its words can be told apart from the engine's float32. */
export function wordCodec(word: 'f16' | 'bf16'): Codec {
	const { title, toWord, toNumber } = WORDS[word];
	const id = `word-${word}`;
	return {
		id, title, bits: 16,
		encode(block, rows, columns) {
			if (rows < 1 || columns < 1 || block.length !== rows * columns) throw new RangeError(`${block.length} numbers are not a block of ${rows} x ${columns}`);
			return { codec: id, rows, columns, parts: [{ item: 'payload', array: Uint16Array.from(block, toWord) }] };
		},
		decode: (payload) => Float32Array.from(payload.parts[0].array as Uint16Array, toNumber),
		groups: () => [],
		keepRows: (payload, rows) => ({
			...payload, rows: rows.length, parts: [{ item: 'payload', array: takeRows(payload.parts[0].array as Uint16Array, payload.columns, rows) }]
		}),
		bitsOf: ({ columns }, row, channel) => ({ part: 0, from: 16 * (row * columns + channel), count: 16 })
	};
}
