/**
 * Values that are not stored: each is a linear map of its own key as it was before rotation. Of a block
 * there is the map alone, in halves, one for all blocks of a codec.
 */
import { fromHalf, toHalf } from '$lib/numerics/half.ts';
import { multiply } from '$lib/numerics/linear.ts';
import type { Codec } from '../types.ts';

/**
 * `map` is [columns + 1, columns], row-major: the value is its key times the first rows, plus the last row, the
 * constant; [columns, columns] without one. Throws RangeError for a map of another size, or a block of another width.
 */
export function fromKeysCodec(map: ArrayLike<number>, columns: number): Codec {
	const inputs = map.length / columns;
	if (inputs !== columns && inputs !== columns + 1) throw new RangeError(`${map.length} numbers are not a map of ${columns} channels`);
	const stored = toHalf(map);
	const id = `from-keys-${inputs}x${columns}`;
	return {
		id, title: 'nothing but a map from its key', bits: 0,
		encode(block, rows, given) {
			if (given !== columns || rows < 1 || block.length !== rows * columns) {
				throw new RangeError(`${block.length} numbers are not ${rows} rows of ${columns} channels`);
			}
			return { codec: id, rows, columns, parts: [{ item: 'codebooks', array: stored }] };
		},
		// A payload alone says nothing of a value.
		decode: ({ rows }) => new Float32Array(rows * columns),
		fromKeys(keys, { parts }) {
			const numbers = fromHalf(parts[0].array as Uint16Array);
			const rows = keys.length / columns;
			const values = multiply(keys, numbers.subarray(0, columns * columns), rows, columns, columns);
			const constant = numbers.subarray(columns * columns);
			return constant.length ? values.map((x, at) => x + constant[at % columns]) : values;
		},
		groups: () => [],
		keepRows: (payload, rows) => ({ ...payload, rows: rows.length })
	};
}
