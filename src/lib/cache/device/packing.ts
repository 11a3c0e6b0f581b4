/**
 * From encoded blocks to pages that attention reads as they are: which slots can go that way, and
 * their codes and rulers as words. Everything comes from the payload; nothing is decoded.
 */
import { codeWords, rulerWord, type Bits, type PackedFormat, type SideFormat } from '$lib/ops/attention-packed/index.ts';
import type { Block } from '../block.ts';
import { bytesPerRow, unpackCodes } from '../codecs/bits.ts';
import type { HeadStore } from '../head-store.ts';
import type { UniformLayout } from '../types.ts';

/** Tokens of a page: where rulers belong to tokens, and at most. */
const ROWS = 32;
const MOST_ROWS = 128;

/** Where a slot lies among pages: those of one `key` share what a page shares; `row` is -1 where any will do. */
export interface PagePlan {
	format: PackedFormat;
	key: string;
	row: number;
}

/** Uniform codes of 2, 4 or 8 bits, of keys that were encoded as they are read (not before rotation, not turned since). */
function readable(block: Block | undefined): UniformLayout | null {
	const layout = block?.codec.uniform;
	if (!layout || (layout.bits !== 2 && layout.bits !== 4 && layout.bits !== 8)) return null;
	return block!.presented === block!.decoded ? layout : null;
}

/** How a slot can be read packed; null where K or V is exact or coded in another way. */
export function pagePlan(head: HeadStore, slot: number): PagePlan | null {
	const { blockK, blockV, inK, inV } = head.slots.columns;
	const [key, value] = [readable(head.blocks.get(blockK[slot])), readable(head.blocks.get(blockV[slot]))];
	if (!key || !value) return null;
	const d = head.headDim;
	const shared = [key, value].filter(({ axis }) => axis === 'channel').map(({ group }) => group);
	const rows = shared.length ? Math.min(MOST_ROWS, ...shared) : ROWS;
	const format: PackedFormat = { headDim: d, rows, key: sideOf(key, d), value: sideOf(value, d) };
	const k = key.axis === 'channel' ? chunkOf(inK[slot], key.group, rows) : null;
	const v = value.axis === 'channel' ? chunkOf(inV[slot], value.group, rows) : null;
	const name = (block: number, chunk: typeof k) => (chunk ? `${block}.${chunk.group}.${chunk.part}` : '');
	return { format, key: `${name(blockK[slot], k)}|${name(blockV[slot], v)}`, row: (k ?? v)?.row ?? -1 };
}

function sideOf({ bits, axis, group, symmetric }: UniformLayout, headDim: number): SideFormat {
	return { bits: bits as Bits, axis, group: axis === 'token' ? Math.min(group, headDim) : headDim, symmetric };
}

/** Group of a row of a block whose tokens share rulers, the page within the group, and the row within the page. */
function chunkOf(inside: number, group: number, rows: number) {
	const within = inside % group;
	return { group: Math.floor(inside / group), part: Math.floor(within / rows), row: within % rows };
}

/** Codes of a row of a block. */
export function rowCodes({ payload, codec }: Block, row: number): Int32Array {
	const bits = codec.uniform!.bits;
	const stride = bytesPerRow(payload.columns, bits);
	const packed = (payload.parts[0].array as Uint8Array).subarray(row * stride, (row + 1) * stride);
	return codeWords(unpackCodes(packed, 1, payload.columns, bits), bits as Bits);
}

/** Rulers of a row: of its groups of channels, or (axis channel) of every channel in its group of tokens. */
export function rowRulers({ payload, codec }: Block, row: number): Int32Array {
	const { axis, group } = codec.uniform!;
	const count = axis === 'token' ? Math.ceil(payload.columns / group) : payload.columns;
	const first = count * (axis === 'token' ? row : Math.floor(row / group));
	const scales = payload.parts[1].array as Uint16Array;
	const zeros = payload.parts[2]?.array as Uint16Array | undefined;
	return Int32Array.from({ length: count }, (_, i) => rulerWord(scales[first + i], zeros?.[first + i] ?? 0));
}
