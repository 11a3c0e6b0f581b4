/** Writes GGUF files. For tests. */
export type Entry = [key: string, type: number, value: number | boolean | string | string[] | number[], of?: number];

export interface Written {
	name: string;
	/** The number of a ggml_type. */
	type: number;
	/** Row-major, as everywhere here. */
	shape: number[];
	bytes: Uint8Array;
}

export const U32 = 4;
export const I32 = 5;
export const F32 = 6;
export const BOOL = 7;
export const STRING = 8;
export const LIST = 9;

const utf8 = new TextEncoder();

/** A file of version 3 with these entries and tensors, in this order, aligned to 32 bytes. */
export function writeGguf(entries: Entry[], tensors: Written[]): ArrayBuffer {
	const out: number[] = [];
	const number = (bytes: number, set: (view: DataView) => void) => {
		const view = new DataView(new ArrayBuffer(bytes));
		set(view);
		out.push(...new Uint8Array(view.buffer));
	};
	const u32 = (value: number) => number(4, (v) => v.setUint32(0, value, true));
	const u64 = (value: number) => number(8, (v) => v.setBigUint64(0, BigInt(value), true));
	const text = (value: string) => {
		const bytes = utf8.encode(value);
		u64(bytes.length);
		for (const byte of bytes) out.push(byte);
	};
	const one = (type: number, value: number | boolean | string) => {
		if (type === STRING) text(String(value));
		else if (type === BOOL) out.push(value ? 1 : 0);
		else if (type === F32) number(4, (v) => v.setFloat32(0, Number(value), true));
		else if (type === I32) number(4, (v) => v.setInt32(0, Number(value), true));
		else u32(Number(value));
	};
	out.push(...utf8.encode('GGUF'));
	u32(3);
	u64(tensors.length);
	u64(entries.length);
	for (const [key, type, value, of] of entries) {
		text(key);
		u32(type);
		if (type !== LIST) {
			one(type, value as number | boolean | string);
			continue;
		}
		const list = value as (number | string)[];
		u32(of!);
		u64(list.length);
		for (const item of list) one(of!, item);
	}
	let at = 0;
	for (const { name, type, shape, bytes } of tensors) {
		text(name);
		u32(shape.length);
		for (const dimension of shape.toReversed()) u64(dimension);
		u32(type);
		u64(at);
		at += padded(bytes.length);
	}
	const start = padded(out.length);
	const file = new Uint8Array(start + at);
	file.set(out);
	let place = start;
	for (const { bytes } of tensors) {
		file.set(bytes, place);
		place += padded(bytes.length);
	}
	return file.buffer;
}

const padded = (length: number): number => Math.ceil(length / 32) * 32;
