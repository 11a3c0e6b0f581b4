/**
 * One set of coordinates for all KV heads of a layer: their rows side by side, [tokens, heads x d],
 * projected onto one basis. Each head is rebuilt from the shared coordinates and its own rows of
 * the basis. Arrays that heads share exist once, and are billed once.
 */
import type { Codec, PackedArray } from '$lib/cache/types.ts';
import { multiply } from '$lib/numerics/linear.ts';
import { fromHalf, toHalf } from '$lib/numerics/half.ts';

export interface JointBasis {
	/** Rows of the basis that belong to each head, stored: [d x rank]. */
	byHead: PackedArray[];
	d: number;
	rank: number;
	precision: 16 | 32;
}

const store = (numbers: Float32Array, precision: 16 | 32): PackedArray => (precision === 16 ? toHalf(numbers) : numbers);
const load = (stored: PackedArray): Float32Array => (stored instanceof Uint16Array ? fromHalf(stored) : (stored as Float32Array));

/** Rows of the heads side by side: [rows, d] each -> [rows, heads x d]. */
export function sideBySide(blocks: readonly Float32Array[], d: number): Float32Array {
	const rows = blocks[0].length / d;
	const wide = new Float32Array(rows * blocks.length * d);
	blocks.forEach((block, head) => {
		for (let row = 0; row < rows; row++) wide.set(block.subarray(row * d, (row + 1) * d), (row * blocks.length + head) * d);
	});
	return wide;
}

/** `basis` is [heads x d, rank], row-major, with orthonormal columns. */
export function jointBasis(basis: Float64Array, d: number, rank: number, precision: 16 | 32): JointBasis {
	const rows = Float32Array.from(basis);
	const byHead = Array.from({ length: rows.length / (d * rank) }, (_, head) =>
		store(rows.slice(head * d * rank, (head + 1) * d * rank), precision)
	);
	return { byHead, d, rank, precision };
}

/**
 * Codecs, one a head, that write these rows (all heads, the same tokens) and no others: the
 * coordinates are worked out here once for all heads.
 */
export function jointCodecs(blocks: readonly Float32Array[], basis: JointBasis): Codec[] {
	const { d, rank, precision, byHead } = basis;
	const rows = blocks[0].length / d;
	const whole = Float32Array.from(byHead.flatMap((part) => Array.from(load(part))));
	const codes = store(multiply(sideBySide(blocks, d), whole, rows, byHead.length * d, rank), precision);
	return byHead.map((part): Codec => {
		const id = `joint-low-rank-r${rank}-p${precision}`;
		return {
			id, title: `rank ${rank} for ${byHead.length} heads together, ${precision} bits a coordinate`, bits: precision, rank,
			encode(block, blockRows, columns) {
				if (blockRows !== rows || columns !== d || block.length !== rows * d) {
					throw new RangeError(`these coordinates are of ${rows} rows of ${d} channels, not of ${blockRows} x ${columns}`);
				}
				return { codec: id, rows, columns, parts: [{ item: 'payload', array: codes }, { item: 'codebooks', array: part }] };
			},
			decode(payload) {
				const [c, b] = payload.parts.map(({ array }) => load(array));
				const turned = new Float32Array(rank * d);
				for (let channel = 0; channel < d; channel++) for (let i = 0; i < rank; i++) turned[i * d + channel] = b[channel * rank + i];
				return multiply(c, turned, payload.rows, rank, d);
			},
			groups: () => []
		};
	});
}
