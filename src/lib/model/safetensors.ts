/**
 * Reads safetensors files: 8 bytes of header length, a JSON header, raw numbers.
 * Format: https://huggingface.co/docs/safetensors. Every error is a sentence for the reader.
 */
import { ModelError } from './error.ts';
import { bytesOf, type StoredTensor, type TensorSource } from './stored.ts';
import type { StoredFile } from './stored-file.ts';

export { ModelError } from './error.ts';
export { toFloat32, type StoredTensor } from './stored.ts';

/** The format's own limit; a header of this length already describes a million tensors. */
const LONGEST_HEADER = 100_000_000;

interface Entry {
	dtype: string;
	shape: number[];
	/** Bytes in the file. */
	from: number;
	to: number;
}

/** Checks the whole header of a file in memory and returns views into it. Throws ModelError. */
export function readSafetensors(file: ArrayBuffer, label: string): Map<string, StoredTensor> {
	const all = new Uint8Array(file);
	const start = 8 + headerLength(all.subarray(0, 8), all.length, label);
	const entries = readHeader(all.subarray(8, start), start, all.length, label);
	return new Map([...entries].map(([name, { dtype, shape, from, to }]) => [name, { name, dtype, shape, bytes: all.subarray(from, to) }]));
}

/** Checks the whole header; a tensor's bytes are read when it is asked for. Throws ModelError. */
export async function openSafetensors(file: StoredFile): Promise<TensorSource> {
	const start = 8 + headerLength(await file.bytes(0, Math.min(8, file.size)), file.size, file.name);
	const entries = readHeader(await file.bytes(8, start), start, file.size, file.name);
	return {
		names: () => [...entries.keys()],
		describe: (name) => entries.get(name),
		async tensor(name) {
			const entry = entries.get(name);
			if (!entry) throw new ModelError(`${file.name} has no tensor ${name}.`);
			const { dtype, shape, from, to } = entry;
			return { name, dtype, shape, bytes: await file.bytes(from, to) };
		}
	};
}

function headerLength(first: Uint8Array, size: number, label: string): number {
	if (first.length < 8) throw new ModelError(`${label} is no safetensors file: it has only ${size} bytes.`);
	const length = Number(new DataView(first.buffer, first.byteOffset).getBigUint64(0, true));
	if (length < 2 || length > size - 8 || length > LONGEST_HEADER) {
		throw new ModelError(`${label} is no safetensors file, or it is cut off: its header would be ${length} bytes long, the file has ${size}.`);
	}
	return length;
}

function readHeader(bytes: Uint8Array, start: number, size: number, label: string): Map<string, Entry> {
	const entries = new Map<string, Entry>();
	for (const [name, stated] of Object.entries(parseHeader(bytes, label))) {
		if (name === '__metadata__') continue;
		const { dtype, shape, from, to } = checkEntry(name, stated, label);
		if (start + to > size) {
			throw new ModelError(`${label} is cut off: ${name} should end at byte ${start + to}, the file has ${size}. Download it again.`);
		}
		entries.set(name, { dtype, shape, from: start + from, to: start + to });
	}
	refuseOverlaps(entries, label);
	return entries;
}

/** Tensors that share bytes would let a small file ask for much memory. Shared with GGUF. */
export function refuseOverlaps(entries: ReadonlyMap<string, { from: number; to: number }>, label: string): void {
	const inOrder = [...entries].filter(([, { from, to }]) => to > from).sort(([, a], [, b]) => a.from - b.from);
	for (let i = 1; i < inOrder.length; i++) {
		const [[before, { to }], [after, { from }]] = [inOrder[i - 1], inOrder[i]];
		if (from < to) throw new ModelError(`${label} is damaged: the numbers of ${before} and ${after} overlap.`);
	}
}

function parseHeader(bytes: Uint8Array, label: string): Record<string, unknown> {
	try {
		const header: unknown = JSON.parse(new TextDecoder().decode(bytes));
		if (typeof header === 'object' && header !== null && !Array.isArray(header)) return header as Record<string, unknown>;
	} catch {
		// Said below, in one sentence for both cases.
	}
	throw new ModelError(`${label} is no safetensors file: its header is not a JSON object.`);
}

function checkEntry(name: string, entry: unknown, label: string): Entry {
	const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
	const wholeNumbers = (list: unknown): list is number[] =>
		Array.isArray(list) && list.every((n) => Number.isSafeInteger(n) && n >= 0);
	if (typeof dtype !== 'string' || !wholeNumbers(shape) || !wholeNumbers(offsets) || offsets.length !== 2 || offsets[1] < offsets[0]) {
		throw new ModelError(`${label} is damaged: the header entry of ${name} is not dtype, shape and two offsets.`);
	}
	const [from, to] = offsets;
	const needed = bytesOf(dtype, shape);
	if (needed !== null && to - from !== needed) {
		throw new ModelError(`${label} is damaged: ${name} of shape ${shape.join(' x ')} in ${dtype} needs ${needed} bytes, the header gives it ${to - from}.`);
	}
	return { dtype, shape, from, to };
}
