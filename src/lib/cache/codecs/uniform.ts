/**
 * Round to nearest on a ruler per group: the floor of all quantizers. Groups lie along the
 * channels of one token (`axis: 'token'`) or along consecutive tokens of one channel
 * (`axis: 'channel'`); the last group of a row or column may be shorter.
 *
 * Stored: codes as a bitstream (`payload`), the step of each group (`scales`) and, when
 * asymmetric, the value of code 0 (`zeros`), both as half floats that are rounded before use.
 * Numbers beyond the range of halves are clamped to it. Numbers must be finite.
 */
import { halfBits, halfValue } from '$lib/numerics/half.ts';
import type { Codec, CodecGroup, Payload } from '../types.ts';
import { bytesPerRow, packCodes, takeRows, unpackCodes } from './bits.ts';
import { asymmetricRuler, codeOf, symmetricRuler, type Ruler } from './ruler.ts';

export interface UniformOptions {
	/** 2 … 8, or 16 for no encoding at all. */
	bits: number;
	axis: 'token' | 'channel';
	/** Numbers that share a ruler, counted along the grouped axis. */
	group: number;
	/** Absmax about 0 instead of min/max. */
	symmetric?: boolean;
}

/** A box of the block that shares one ruler. */
type Box = Pick<CodecGroup, 'rowFrom' | 'rowTo' | 'columnFrom' | 'columnTo'>;

/** All groups of a block, in the order in which their rulers are stored. */
function boxes(options: UniformOptions, rows: number, columns: number): Box[] {
	const { axis, group } = options;
	const list: Box[] = [];
	if (axis === 'token') {
		for (let r = 0; r < rows; r++) {
			for (let c = 0; c < columns; c += group) {
				list.push({ rowFrom: r, rowTo: r + 1, columnFrom: c, columnTo: Math.min(columns, c + group) });
			}
		}
	} else {
		for (let r = 0; r < rows; r += group) {
			for (let c = 0; c < columns; c++) {
				list.push({ rowFrom: r, rowTo: Math.min(rows, r + group), columnFrom: c, columnTo: c + 1 });
			}
		}
	}
	return list;
}

function checkShape(block: Float32Array, rows: number, columns: number): void {
	if (rows < 1 || columns < 1 || block.length !== rows * columns) {
		throw new RangeError(`${block.length} numbers are not a block of ${rows} x ${columns}`);
	}
	for (let i = 0; i < block.length; i++) {
		if (!Number.isFinite(block[i])) throw new RangeError(`${block[i]} cannot be encoded: only finite numbers can`);
	}
}

/** What 16 bits means: the numbers themselves, untouched. */
function identity(id: string): Codec {
	return {
		id, title: '16 bits', bits: 16, exact: true,
		encode: (block, rows, columns) => ({ codec: id, rows, columns, parts: [{ item: 'payload', array: block.slice() }] }),
		decode: (payload) => (payload.parts[0].array as Float32Array).slice(),
		groups: () => [],
		keepRows: (payload, rows) => ({
			...payload, rows: rows.length,
			parts: [{ item: 'payload', array: takeRows(payload.parts[0].array as Float32Array, payload.columns, rows) }]
		})
	};
}

function titleOf({ bits, axis, group, symmetric }: UniformOptions): string {
	const along = axis === 'token' ? 'channels' : 'tokens';
	return `${bits} bits a ${axis}, groups of ${group} ${along}${symmetric ? ', symmetric' : ''}`;
}

/** Throws RangeError for bits outside 2 … 8 (or 16) and for a group below 1. */
export function uniformCodec(options: UniformOptions): Codec {
	const { bits, axis, group, symmetric = false } = options;
	const id = `uniform-${symmetric ? 'sym' : 'asym'}-${axis}-b${bits}-g${group}`;
	if (bits === 16) return identity(id);
	if (!Number.isInteger(bits) || bits < 2 || bits > 8) throw new RangeError(`codes have 2 to 8 bits, or 16 for none; not ${bits}`);
	if (!Number.isInteger(group) || group < 1) throw new RangeError(`a group holds at least one number, not ${group}`);
	const top = symmetric ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
	const bottom = symmetric ? -top : 0;

	function rulerOf(block: Float32Array, columns: number, box: Box): Ruler {
		let low = Infinity;
		let high = -Infinity;
		for (let r = box.rowFrom; r < box.rowTo; r++) {
			for (let c = box.columnFrom; c < box.columnTo; c++) {
				const x = block[r * columns + c];
				if (x < low) low = x;
				if (x > high) high = x;
			}
		}
		return symmetric ? symmetricRuler(Math.max(-low, high), top) : asymmetricRuler(low, high, top);
	}

	/** Rulers as stored. */
	function rulers(payload: Payload): Ruler[] {
		const scales = payload.parts[1].array as Uint16Array;
		const zeros = symmetric ? null : (payload.parts[2].array as Uint16Array);
		return Array.from(scales, (scale, i) => ({ step: halfValue(scale), zero: zeros ? halfValue(zeros[i]) : 0 }));
	}

	return {
		id, title: titleOf({ bits, axis, group, symmetric }), bits, uniform: { bits, axis, group, symmetric },
		encode(block, rows, columns) {
			checkShape(block, rows, columns);
			const groups = boxes(options, rows, columns);
			const codes = new Uint8Array(rows * columns);
			const scales = new Uint16Array(groups.length);
			const zeros = new Uint16Array(symmetric ? 0 : groups.length);
			groups.forEach((box, i) => {
				const ruler = rulerOf(block, columns, box);
				scales[i] = halfBits(ruler.step);
				if (!symmetric) zeros[i] = halfBits(ruler.zero);
				for (let r = box.rowFrom; r < box.rowTo; r++) {
					for (let c = box.columnFrom; c < box.columnTo; c++) {
						codes[r * columns + c] = codeOf(block[r * columns + c], ruler, bottom, top) - bottom;
					}
				}
			});
			const parts: Payload['parts'] = [
				{ item: 'payload', array: packCodes(codes, rows, columns, bits) },
				{ item: 'scales', array: scales }
			];
			if (!symmetric) parts.push({ item: 'zeros', array: zeros });
			return { codec: id, rows, columns, parts };
		},
		decode(payload) {
			const { rows, columns } = payload;
			const codes = unpackCodes(payload.parts[0].array as Uint8Array, rows, columns, bits);
			const block = new Float32Array(rows * columns);
			const all = rulers(payload);
			boxes(options, rows, columns).forEach((box, i) => {
				const { zero, step } = all[i];
				for (let r = box.rowFrom; r < box.rowTo; r++) {
					for (let c = box.columnFrom; c < box.columnTo; c++) {
						const at = r * columns + c;
						block[at] = (codes[at] + bottom) * step + zero;
					}
				}
			});
			return block;
		},
		groups(payload) {
			const all = rulers(payload);
			return boxes(options, payload.rows, payload.columns).map((box, i) => ({
				...box, bits, lo: bottom * all[i].step + all[i].zero, step: all[i].step
			}));
		},
		bitsOf: ({ columns }, row, channel) => ({ part: 0, from: 8 * bytesPerRow(columns, bits) * row + bits * channel, count: bits }),
		keepRows: axis === 'channel' ? undefined : (payload, rows) => {
			const perRow = Math.ceil(payload.columns / group);
			const strides = [bytesPerRow(payload.columns, bits), perRow, perRow];
			return {
				...payload, rows: rows.length,
				parts: payload.parts.map((part, i) => ({
					item: part.item, array: takeRows(part.array as Uint8Array | Uint16Array, strides[i], rows)
				}))
			};
		}
	};
}
