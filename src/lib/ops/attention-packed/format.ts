/**
 * How packed keys and values lie on the device. A *page* holds some tokens of one KV head, all in
 * one format; pages lie anywhere in a pool, and a table says which pages a head has.
 *
 * The numbers are those of a cache's payload (codes of 2, 4 or 8 bits, a half-float step and, where
 * the ruler is asymmetric, a half-float zero), only ordered for reading: four neighbouring channels
 * come out of a word with one `unpack4x8unorm`, and step and zero of a ruler share a word.
 *
 * Words of a page, in this order:
 *   bias           [rows]                    f32; -1e30 for an empty or hidden row
 *   rulers of K    [groups, rows] (token) or [channels] (channel)
 *   rulers of V    the same
 *   codes of K     [words, rows]: neighbouring threads read neighbouring tokens
 *   codes of V     [rows, words]: neighbouring threads read neighbouring channels
 */
export type Bits = 2 | 4 | 8;

/** How K or V of a page is coded. */
export interface SideFormat {
	bits: Bits;
	/** Which numbers share a ruler: those of a token, or those of a channel over all rows of the page. */
	axis: 'token' | 'channel';
	/** Channels that share a ruler (axis token; at most headDim). */
	group: number;
	/** Codes stand about 0 and there is no zero. */
	symmetric: boolean;
}

export interface PackedFormat {
	headDim: number;
	/** Tokens of a page. */
	rows: number;
	key: SideFormat;
	value: SideFormat;
}

/** Sizes of one side, in words and counts. */
export interface SideSizes {
	/** Words of one token's codes. */
	words: number;
	/** Vectors of four channels in a word. */
	perWord: number;
	/** Rulers of one token (axis token). */
	groups: number;
	/** Where rulers and codes begin in a page. */
	rulers: number;
	codes: number;
	/** What is added to a stored code. */
	bottom: number;
}

export interface PageLayout {
	key: SideSizes;
	value: SideSizes;
	/** Words of a page. */
	words: number;
}

/** Bias of a row that nobody may read. */
export const HIDDEN = -1e30;

function sizes(side: SideFormat, headDim: number): Omit<SideSizes, 'rulers' | 'codes'> {
	return {
		words: Math.ceil((headDim * side.bits) / 32),
		perWord: 8 / side.bits,
		groups: side.axis === 'token' ? Math.ceil(headDim / side.group) : 1,
		bottom: side.symmetric ? 1 - 2 ** (side.bits - 1) : 0
	};
}

export function layoutOf({ headDim, rows, key, value }: PackedFormat): PageLayout {
	const k = sizes(key, headDim);
	const v = sizes(value, headDim);
	const rulerWords = (side: SideFormat, groups: number) => (side.axis === 'token' ? rows * groups : headDim);
	const rulersK = rows;
	const rulersV = rulersK + rulerWords(key, k.groups);
	const codesK = rulersV + rulerWords(value, v.groups);
	const codesV = codesK + rows * k.words;
	return {
		key: { ...k, rulers: rulersK, codes: codesK },
		value: { ...v, rulers: rulersV, codes: codesV },
		words: codesV + rows * v.words
	};
}

/** Names a format; equal formats have equal names. */
export function formatName({ headDim, rows, key, value }: PackedFormat): string {
	const name = ({ bits, axis, group, symmetric }: SideFormat) => `${bits}${axis[0]}${axis === 'token' ? group : ''}${symmetric ? 's' : ''}`;
	return `${headDim}x${rows}_${name(key)}_${name(value)}`;
}

/**
 * One token's codes as words: byte j of a word holds channels 4 i + j, one above the other, i counted
 * from the low bits, so that `(word >> (i x bits)) & mask` has four neighbouring channels in its bytes.
 */
export function codeWords(codes: ArrayLike<number>, bits: Bits): Int32Array {
	const perWord = 32 / bits;
	const words = new Int32Array(Math.ceil(codes.length / perWord));
	for (let c = 0; c < codes.length; c++) {
		const inside = c % perWord;
		words[Math.floor(c / perWord)] |= codes[c] << ((inside & 3) * 8 + (inside >> 2) * bits);
	}
	return words;
}

/** The inverse of `codeWords`, for the stock twin. */
export function codeAt(word: number, channel: number, bits: Bits): number {
	const inside = channel % (32 / bits);
	return (word >>> ((inside & 3) * 8 + (inside >> 2) * bits)) & ((1 << bits) - 1);
}

/** A ruler as a word: bits of the half floats. */
export function rulerWord(step: number, zero: number): number {
	return step | (zero << 16);
}
