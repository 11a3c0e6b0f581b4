/** Some channels of a block in halves, the others dropped: they read 0. A mask, one bit a channel, says which; all blocks of one codec share it. */
import { fromHalf, toHalf } from '$lib/numerics/half.ts';
import type { Codec } from '../types.ts';
import { packCodes, takeRows, unpackCodes } from './bits.ts';

/** `kept`: 1 for each channel that stays, one at least. Throws RangeError if there is none, or for a block of another width. */
export function channelCodec(kept: ArrayLike<number>): Codec {
	const columns = kept.length;
	const channels = Array.from({ length: columns }, (_, c) => c).filter((c) => kept[c]);
	const width = channels.length;
	if (width === 0) throw new RangeError('a codec that drops every channel stores nothing');
	const mask = packCodes(Uint8Array.from(kept, (flag) => (flag ? 1 : 0)), 1, columns, 1);
	const id = `channels-${width}of${columns}`;
	return {
		id, title: `${width} of ${columns} channels in halves`, bits: 16, rank: width,
		encode(block, rows, given) {
			if (given !== columns || rows < 1 || block.length !== rows * columns) {
				throw new RangeError(`${block.length} numbers are not ${rows} rows of ${columns} channels`);
			}
			const stored = Float32Array.from({ length: rows * width }, (_, at) => block[Math.floor(at / width) * columns + channels[at % width]]);
			return { codec: id, rows, columns, parts: [{ item: 'payload', array: toHalf(stored) }, { item: 'indices', array: mask }] };
		},
		decode({ rows, parts }) {
			const numbers = fromHalf(parts[0].array as Uint16Array);
			const flags = unpackCodes(parts[1].array as Uint8Array, 1, columns, 1);
			const block = new Float32Array(rows * columns);
			for (let row = 0, at = 0; row < rows; row++) for (let c = 0; c < columns; c++) if (flags[c]) block[row * columns + c] = numbers[at++];
			return block;
		},
		groups: () => [],
		keepRows: (payload, rows) => ({
			...payload, rows: rows.length,
			parts: [{ item: 'payload', array: takeRows(payload.parts[0].array as Uint16Array, width, rows) }, payload.parts[1]]
		})
	};
}
