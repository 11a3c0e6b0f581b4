/** Reads the first part of a GGUF file value by value. Nothing is allocated for a length that the file cannot hold. */
import { ModelError } from '../error.ts';

/** The bytes at hand end before the header does; the file goes on. */
export class MoreBytes extends Error {}

export class Cursor {
	at = 0;
	private readonly view: DataView;
	private readonly text = new TextDecoder();

	/** The first `bytes` of a file of `size` bytes; `label` is its name. */
	constructor(private readonly bytes: Uint8Array, readonly size: number, readonly label: string) {
		this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	}

	damaged(what: string): ModelError {
		return new ModelError(`${this.label} is damaged or cut off: ${what}. Download it again.`);
	}

	/** Where the next `length` bytes begin; they are passed over. */
	private skip(length: number): number {
		const from = this.at;
		if (!(length >= 0 && length <= this.size - from)) throw this.damaged(`its header needs ${length} bytes from byte ${from} on, the file has ${this.size}`);
		if (length > this.bytes.length - from) throw new MoreBytes();
		this.at += length;
		return from;
	}

	u32(): number {
		return this.view.getUint32(this.skip(4), true);
	}

	/** As a double: beyond 2^53 only nearly right, which no length or offset in a file reaches. */
	u64(): number {
		return Number(this.view.getBigUint64(this.skip(8), true));
	}

	/** A number of things that take at least `least` bytes each in the rest of the file. */
	count(least: number, what: string): number {
		const count = this.u64();
		if (count * least > this.size - this.at) throw this.damaged(`it names ${count} ${what}, which cannot fit in ${this.size} bytes`);
		return count;
	}

	string(): string {
		const length = this.count(1, 'characters in one text');
		const from = this.skip(length);
		// Most texts are short tokens; for those a decoder costs more than the loop.
		if (length <= 16) {
			let text = '';
			let i = from;
			for (; i < from + length && this.bytes[i] < 128; i++) text += String.fromCharCode(this.bytes[i]);
			if (i === from + length) return text;
		}
		return this.text.decode(this.bytes.subarray(from, from + length));
	}

	/** One number or truth of a GGUF value type; undefined for a type that is none. */
	scalar(type: number): number | boolean | undefined {
		const scalar = SCALARS[type];
		if (!scalar) return undefined;
		return scalar.read(this.view, this.skip(scalar.bytes));
	}

	/** A list of numbers (truths as 0 and 1), in one typed array. */
	numbers(type: number, count: number): ArrayLike<number> {
		const { bytes, read, make } = SCALARS[type];
		const from = this.skip(count * bytes);
		const numbers = make(count);
		for (let i = 0; i < count; i++) numbers[i] = Number(read(this.view, from + i * bytes));
		return numbers;
	}
}

interface Scalar {
	bytes: number;
	read(view: DataView, at: number): number | boolean;
	make(count: number): { [index: number]: number; length: number };
}

/** By the numbers of gguf_type. */
export const SCALARS: Partial<Record<number, Scalar>> & Record<number, Scalar> = {
	0: { bytes: 1, read: (v, at) => v.getUint8(at), make: (n) => new Uint8Array(n) },
	1: { bytes: 1, read: (v, at) => v.getInt8(at), make: (n) => new Int8Array(n) },
	2: { bytes: 2, read: (v, at) => v.getUint16(at, true), make: (n) => new Uint16Array(n) },
	3: { bytes: 2, read: (v, at) => v.getInt16(at, true), make: (n) => new Int16Array(n) },
	4: { bytes: 4, read: (v, at) => v.getUint32(at, true), make: (n) => new Uint32Array(n) },
	5: { bytes: 4, read: (v, at) => v.getInt32(at, true), make: (n) => new Int32Array(n) },
	6: { bytes: 4, read: (v, at) => v.getFloat32(at, true), make: (n) => new Float32Array(n) },
	7: { bytes: 1, read: (v, at) => v.getUint8(at) !== 0, make: (n) => new Uint8Array(n) },
	10: { bytes: 8, read: (v, at) => Number(v.getBigUint64(at, true)), make: (n) => new Float64Array(n) },
	11: { bytes: 8, read: (v, at) => Number(v.getBigInt64(at, true)), make: (n) => new Float64Array(n) },
	12: { bytes: 8, read: (v, at) => v.getFloat64(at, true), make: (n) => new Float64Array(n) }
};
