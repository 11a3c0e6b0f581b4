/**
 * A block of encoded keys or values of one head. Immutable; what attention sees is derived from
 * the payload alone.
 */
import type { Rotation } from '$lib/numerics/rope.ts';
import type { Codec, Payload, Which } from './types.ts';

export interface Block {
	which: Which;
	codec: Codec;
	payload: Payload;
	/** Keys were un-rotated before encoding. */
	beforeRope: boolean;
	/** Angle of each row when it was encoded (keys). */
	angles: Int32Array;
	/** [rows, headDim] as decoded. */
	decoded: Float32Array;
	/** [rows, headDim] as attention reads them: decoded and turned to the slot's angle. */
	presented: Float32Array;
}

export interface BlockSource {
	which: Which;
	codec: Codec;
	/** [rows, headDim] as presented so far. */
	numbers: Float32Array;
	angles: Int32Array;
	beforeRope: boolean;
}

/** Encodes a block. With `beforeRope` the keys are turned back to angle 0 first. */
export function encodeBlock(source: BlockSource, headDim: number, rope: Rotation): Block {
	const { which, codec, angles, beforeRope } = source;
	const numbers = beforeRope ? rope.rotate(source.numbers, angles.map((a) => -a), headDim) : source.numbers;
	const payload = codec.encode(numbers, angles.length, headDim);
	const decoded = codec.decode(payload);
	const presented = beforeRope ? rope.rotate(decoded, angles, headDim) : decoded;
	return { which, codec, payload, beforeRope, angles, decoded, presented };
}

/** The block with its rows turned to new angles; rows with angle NaN (dead) stay as they are. */
export function turnBlock(block: Block, angles: ArrayLike<number>, headDim: number, rope: Rotation): Block {
	const by = Float64Array.from(block.angles, (encodedAt, row) => {
		const angle = Number.isNaN(angles[row]) ? encodedAt : angles[row];
		return block.beforeRope ? angle : angle - encodedAt;
	});
	return { ...block, presented: rope.rotate(block.decoded, by, headDim) };
}

/** The block without its dead rows, where the codec can do that; otherwise the block itself. */
export function keepBlockRows(block: Block, rows: number[], headDim: number): Block {
	if (!block.codec.keepRows || rows.length === block.payload.rows) return block;
	const take = (numbers: Float32Array): Float32Array => {
		const taken = new Float32Array(rows.length * headDim);
		rows.forEach((row, i) => taken.set(numbers.subarray(row * headDim, (row + 1) * headDim), i * headDim));
		return taken;
	};
	const decoded = take(block.decoded);
	return {
		...block,
		payload: block.codec.keepRows(block.payload, rows),
		angles: Int32Array.from(rows, (row) => block.angles[row]),
		decoded,
		presented: block.presented === block.decoded ? decoded : take(block.presented)
	};
}
