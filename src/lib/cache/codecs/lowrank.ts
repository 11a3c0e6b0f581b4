/**
 * Projection onto a basis: x is stored as its r coordinates c = x B and rebuilt as c B^T. B has
 * orthonormal columns. All blocks written by one codec share one stored basis, which the bill
 * counts once.
 */
import { fromHalf, toHalf } from '$lib/numerics/half.ts';
import type { Codec } from '../types.ts';
import { takeRows } from './bits.ts';

export interface LowRankOptions {
	/** [columns x rank], row-major; columns of B orthonormal. */
	basis: ArrayLike<number>;
	columns: number;
	rank: number;
	/** Bits of the stored coordinates and basis. */
	precision: 16 | 32;
}

type Store = Uint16Array | Float32Array;

/** Throws RangeError when the basis has not columns x rank numbers, or rank < 1. */
export function lowRankCodec({ basis, columns, rank, precision }: LowRankOptions): Codec {
	if (!Number.isInteger(rank) || rank < 1 || rank > columns || basis.length !== columns * rank) {
		throw new RangeError(`a basis of rank ${rank} for ${columns} channels has not ${basis.length} numbers`);
	}
	const store = (numbers: ArrayLike<number>): Store => (precision === 16 ? toHalf(numbers) : Float32Array.from(numbers));
	const read = (stored: Store): Float32Array => (stored instanceof Uint16Array ? fromHalf(stored) : stored);
	const storedBasis = store(basis);
	const id = `low-rank-r${rank}-p${precision}`;

	return {
		id, title: `rank ${rank} of ${columns}, ${precision} bits a coordinate`, bits: precision, rank,
		encode(block, rows, width) {
			if (width !== columns || block.length !== rows * columns || rows < 1) {
				throw new RangeError(`${block.length} numbers are not ${rows} rows of ${columns} channels`);
			}
			const b = read(storedBasis);
			const codes = new Float64Array(rows * rank);
			for (let row = 0; row < rows; row++) {
				for (let c = 0; c < columns; c++) {
					const x = block[row * columns + c];
					for (let i = 0; i < rank; i++) codes[row * rank + i] += x * b[c * rank + i];
				}
			}
			return {
				codec: id, rows, columns,
				parts: [{ item: 'payload', array: store(codes) }, { item: 'codebooks', array: storedBasis }]
			};
		},
		decode(payload) {
			const codes = read(payload.parts[0].array as Store);
			const b = read(payload.parts[1].array as Store);
			const block = new Float32Array(payload.rows * columns);
			for (let row = 0; row < payload.rows; row++) {
				for (let c = 0; c < columns; c++) {
					let sum = 0;
					for (let i = 0; i < rank; i++) sum += codes[row * rank + i] * b[c * rank + i];
					block[row * columns + c] = sum;
				}
			}
			return block;
		},
		groups: () => [],
		keepRows: (payload, rows) => ({
			...payload, rows: rows.length,
			parts: [{ item: 'payload', array: takeRows(payload.parts[0].array as Store, rank, rows) }, payload.parts[1]]
		})
	};
}
