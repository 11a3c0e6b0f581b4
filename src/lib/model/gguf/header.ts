/**
 * The header of a GGUF file: metadata and the table of tensors. Format:
 * https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (versions 2 and 3, little-endian).
 *
 * Not `@huggingface/gguf`, which reads by address only, cuts a text short where a piece of 2 MB ends,
 * reads zeros beyond the end of a short file and brings 230 KB of task descriptions; a test checks
 * that both read the same.
 */
import { ModelError } from '../error.ts';
import { refuseOverlaps } from '../safetensors.ts';
import { bytesOf, countOf } from '../stored.ts';
import type { StoredFile } from '../stored-file.ts';
import { Cursor, MoreBytes, SCALARS } from './cursor.ts';

export type GgufValue = number | boolean | string | string[] | ArrayLike<number>;

export interface GgufTensor {
	dtype: string;
	/** Row-major, as everywhere here; the file has it the other way round. */
	shape: number[];
	/** Bytes in the file. */
	from: number;
	to: number;
}

export interface GgufHeader {
	version: number;
	metadata: Map<string, GgufValue>;
	tensors: Map<string, GgufTensor>;
}

/** Names of ggml_type. Those that `formatOf` does not know are named in the refusal. */
const TYPES: Record<number, string> = {
	0: 'F32', 1: 'F16', 2: 'Q4_0', 3: 'Q4_1', 6: 'Q5_0', 7: 'Q5_1', 8: 'Q8_0', 9: 'Q8_1', 10: 'Q2_K', 11: 'Q3_K', 12: 'Q4_K',
	13: 'Q5_K', 14: 'Q6_K', 15: 'Q8_K', 16: 'IQ2_XXS', 17: 'IQ2_XS', 18: 'IQ3_XXS', 19: 'IQ1_S', 20: 'IQ4_NL', 21: 'IQ3_S',
	22: 'IQ2_S', 23: 'IQ4_XS', 24: 'I8', 25: 'I16', 26: 'I32', 27: 'I64', 28: 'F64', 29: 'IQ1_M', 30: 'BF16', 34: 'TQ1_0', 35: 'TQ2_0', 39: 'MXFP4'
};
const STRING = 8;
const LIST = 9;
/** Bytes that are read first: the header of a model with 50 000 tokens. */
const FIRST = 2 ** 21;

/** Reads no more of the file than the header. Throws ModelError with a sentence for whatever is wrong with it. */
export async function readGgufHeader(file: StoredFile): Promise<GgufHeader> {
	for (let length = Math.min(FIRST, file.size); ; length = Math.min(4 * length, file.size)) {
		try {
			return parse(new Cursor(await file.bytes(0, length), file.size, file.name));
		} catch (error) {
			if (!(error instanceof MoreBytes)) throw error;
		}
	}
}

function parse(cursor: Cursor): GgufHeader {
	const version = readVersion(cursor);
	// The least an entry takes: name, kinds, dimension, offset; key, kind, value.
	const tensorCount = cursor.count(24, 'tensors');
	const keyCount = cursor.count(13, 'entries');
	const metadata = new Map<string, GgufValue>();
	for (let i = 0; i < keyCount; i++) {
		const key = cursor.string();
		if (metadata.has(key)) throw cursor.damaged(`it says twice what ${key} is`);
		metadata.set(key, readValue(cursor, key));
	}
	const stated = Array.from({ length: tensorCount }, () => readTensor(cursor));
	return { version, metadata, tensors: place(stated, cursor, metadata.get('general.alignment') ?? 32) };
}

function readVersion(cursor: Cursor): number {
	// "GGUF", read as a number.
	if (cursor.size < 24 || cursor.u32() !== 0x46554747) throw new ModelError(`${cursor.label} is no GGUF file: it does not begin with GGUF.`);
	const version = cursor.u32();
	if (version === 2 || version === 3) return version;
	const why = version > 0xffff ? 'its numbers are big-endian' : `it is of version ${version}; 2 and 3 can be read`;
	throw new ModelError(`${cursor.label} cannot be read: ${why}.`);
}

function readValue(cursor: Cursor, key: string): GgufValue {
	const type = cursor.u32();
	if (type === STRING) return cursor.string();
	if (type !== LIST) return cursor.scalar(type) ?? unknown(cursor, key, type);
	const of = cursor.u32();
	// A text takes at least its length.
	const count = cursor.count(of === STRING ? 8 : (SCALARS[of]?.bytes ?? unknown(cursor, key, of)), `values of ${key}`);
	if (of !== STRING) return cursor.numbers(of, count);
	const texts: string[] = [];
	for (let i = 0; i < count; i++) texts.push(cursor.string());
	return texts;
}

function unknown(cursor: Cursor, key: string, type: number): never {
	throw cursor.damaged(`${key} is of kind ${type}, which is not known`);
}

function readTensor(cursor: Cursor) {
	const name = cursor.string();
	const dimensions = cursor.u32();
	if (dimensions < 1 || dimensions > 4) throw cursor.damaged(`${name} has ${dimensions} dimensions`);
	const shape = Array.from({ length: dimensions }, () => cursor.u64()).reverse();
	const type = cursor.u32();
	return { name, shape, dtype: TYPES[type] ?? `type ${type}`, offset: cursor.u64() };
}

/** Where each tensor lies, checked against the file and the other tensors. */
function place(stated: ReturnType<typeof readTensor>[], cursor: Cursor, alignment: GgufValue): Map<string, GgufTensor> {
	if (typeof alignment !== 'number' || !(alignment >= 1 && alignment <= 2 ** 20) || (alignment & (alignment - 1)) !== 0) {
		throw cursor.damaged(`general.alignment is ${String(alignment)}, not a power of two`);
	}
	const start = Math.ceil(cursor.at / alignment) * alignment;
	const tensors = new Map<string, GgufTensor>();
	for (const { name, shape, dtype, offset } of stated) {
		if (tensors.has(name)) throw cursor.damaged(`it has two tensors named ${name}`);
		if (shape.includes(0) || countOf(shape) === Infinity) throw cursor.damaged(`${name} has the impossible shape ${shape.join(' x ')}`);
		// Of a kind that cannot be read only the beginning is known.
		const needed = bytesOf(dtype, shape) ?? 0;
		if (Number.isNaN(needed)) throw cursor.damaged(`rows of ${shape.at(-1)} numbers of ${name} cannot be stored as ${dtype}`);
		if (offset % alignment !== 0 || start + offset + needed > cursor.size) {
			throw cursor.damaged(`${name} should lie at bytes ${start + offset} to ${start + offset + needed}, the file has ${cursor.size}`);
		}
		tensors.set(name, { dtype, shape, from: start + offset, to: start + offset + needed });
	}
	refuseOverlaps(tensors, cursor.label);
	return tensors;
}
