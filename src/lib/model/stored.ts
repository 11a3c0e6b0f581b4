/** Tensors as they lie in a file: numbers are decoded when they are asked for, never the whole file at once. */
import { halfValue } from '$lib/numerics/half.ts';
import { ModelError } from './error.ts';
import { IQ4_NL, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, type Format } from './gguf/blocks.ts';
import { Q2_K, Q3_K, Q4_K, Q5_K, Q6_K } from './gguf/super-blocks.ts';

export interface StoredTensor {
	name: string;
	/** As safetensors and GGUF name it: F32, BF16, Q4_K... */
	dtype: string;
	/** Row-major: the last dimension is contiguous. */
	shape: number[];
	bytes: Uint8Array;
}

/** The tensors of a checkpoint by the names of Hugging Face; bytes are read when a tensor is asked for. */
export interface TensorSource {
	names(): string[];
	/** Without reading any bytes; undefined when there is no such tensor. */
	describe(name: string): { dtype: string; shape: number[] } | undefined;
	/** Throws ModelError when there is no such tensor or its bytes cannot be had. */
	tensor(name: string): Promise<StoredTensor>;
}

const F32: Format = {
	numbers: 1, bytes: 4,
	decode: (bytes, out) => new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(bytes.subarray(0, out.byteLength))
};
const F16: Format = {
	numbers: 1, bytes: 2,
	decode: (bytes, out) => { for (let i = 0; i < out.length; i++) out[i] = halfValue(bytes[2 * i] | (bytes[2 * i + 1] << 8)); }
};
const BF16: Format = {
	numbers: 1, bytes: 2,
	decode(bytes, out) {
		const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
		for (let i = 0; i < bits.length; i++) bits[i] = (bytes[2 * i] << 16) | (bytes[2 * i + 1] << 24);
	}
};

const FORMATS = new Map<string, Format>(Object.entries({ F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_NL }));

/** undefined for a dtype that cannot be read. */
export const formatOf = (dtype: string): Format | undefined => FORMATS.get(dtype);

/** Number of numbers; Infinity when no file can hold as many. */
export function countOf(shape: readonly number[]): number {
	// A dimension of 0 next to huge ones is still nothing.
	if (shape.includes(0)) return 0;
	const count = shape.reduce((a, b) => a * b, 1);
	return Number.isSafeInteger(count) ? count : Infinity;
}

/** Bytes of a tensor; null for a dtype that cannot be read, NaN when its rows are no whole number of blocks. */
export function bytesOf(dtype: string, shape: readonly number[]): number | null {
	const format = formatOf(dtype);
	if (!format) return null;
	if ((shape.at(-1) ?? 1) % format.numbers !== 0) return NaN;
	return (countOf(shape) / format.numbers) * format.bytes;
}

/**
 * Numbers from..to of a tensor as float32 (all by default); both must lie between blocks, as the ends of rows do.
 * Throws ModelError for a dtype that cannot be read, RangeError for numbers that are not there.
 */
export function toFloat32(tensor: StoredTensor, from = 0, to = countOf(tensor.shape)): Float32Array<ArrayBuffer> {
	const format = formatOf(tensor.dtype);
	if (!format) throw new ModelError(`${tensor.name} is stored as ${tensor.dtype}; only ${[...FORMATS.keys()].join(', ')} can be read.`);
	const [first, last] = [from / format.numbers, to / format.numbers];
	if (!Number.isInteger(first) || !Number.isInteger(last) || first < 0 || last < first || last * format.bytes > tensor.bytes.length) {
		throw new RangeError(`Numbers ${from} to ${to} of ${tensor.name} cannot be taken out of ${tensor.bytes.length} bytes of ${tensor.dtype}.`);
	}
	const out = new Float32Array(to - from);
	format.decode(tensor.bytes.subarray(first * format.bytes, last * format.bytes), out);
	return out;
}

/** Rows from..to of a matrix, [to - from, columns]. */
export function rowsOf(tensor: StoredTensor, from: number, to: number): Float32Array<ArrayBuffer> {
	const columns = tensor.shape[tensor.shape.length - 1];
	return toFloat32(tensor, from * columns, to * columns);
}
