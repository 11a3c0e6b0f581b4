/**
 * Reads safetensors files: 8 bytes of header length, a JSON header, raw numbers.
 * Format: https://huggingface.co/docs/safetensors. Every error is a sentence for the reader.
 */
import { fromHalf } from '$lib/numerics/half.ts';

export class ModelError extends Error {
	override name = 'ModelError';
}

const BYTES: Record<string, number> = { F32: 4, F16: 2, BF16: 2 };

export interface StoredTensor {
	name: string;
	dtype: string;
	shape: number[];
	bytes: Uint8Array;
}

/** Checks the whole header and returns views into `file`. Throws ModelError. */
export function readSafetensors(file: ArrayBuffer, label: string): Map<string, StoredTensor> {
	const headerLength = lengthOfHeader(file, label);
	const header = parseHeader(new Uint8Array(file, 8, headerLength), label);
	const start = 8 + headerLength;
	const tensors = new Map<string, StoredTensor>();
	const ranges: [number, number, string][] = [];
	for (const [name, entry] of Object.entries(header)) {
		if (name === '__metadata__') continue;
		const { dtype, shape, from, to } = checkEntry(name, entry, label);
		if (start + to > file.byteLength) {
			throw new ModelError(`${label} is cut off: ${name} should end at byte ${start + to}, the file has ${file.byteLength}. Download it again.`);
		}
		ranges.push([from, to, name]);
		tensors.set(name, { name, dtype, shape, bytes: new Uint8Array(file, start + from, to - from) });
	}
	ranges.sort((a, b) => a[0] - b[0]);
	for (let i = 1; i < ranges.length; i++) {
		if (ranges[i][0] < ranges[i - 1][1]) {
			throw new ModelError(`${label} is damaged: the numbers of ${ranges[i - 1][2]} and ${ranges[i][2]} overlap.`);
		}
	}
	return tensors;
}

/** Numbers from..to of a tensor as float32 (all by default). Throws ModelError for a dtype we cannot read. */
export function toFloat32(tensor: StoredTensor, from = 0, to = count(tensor.shape)): Float32Array<ArrayBuffer> {
	const size = BYTES[tensor.dtype];
	if (!size) {
		throw new ModelError(`${tensor.name} is stored as ${tensor.dtype}; only F32, F16 and BF16 can be read.`);
	}
	// A copy, since the numbers need not be aligned inside the file.
	const bytes = tensor.bytes.slice(from * size, to * size);
	if (tensor.dtype === 'F32') return new Float32Array(bytes.buffer);
	const halves = new Uint16Array(bytes.buffer);
	if (tensor.dtype === 'F16') return fromHalf(halves) as Float32Array<ArrayBuffer>;
	const bits = new Uint32Array(halves.length);
	for (let i = 0; i < halves.length; i++) bits[i] = halves[i] << 16;
	return new Float32Array(bits.buffer);
}

function lengthOfHeader(file: ArrayBuffer, label: string): number {
	if (file.byteLength < 8) throw new ModelError(`${label} is no safetensors file: it has only ${file.byteLength} bytes.`);
	const length = Number(new DataView(file).getBigUint64(0, true));
	if (length < 2 || length > file.byteLength - 8) {
		throw new ModelError(`${label} is no safetensors file, or it is cut off: its header would be ${length} bytes long, the file has ${file.byteLength}.`);
	}
	return length;
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

function checkEntry(name: string, entry: unknown, label: string) {
	const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
	const wholeNumbers = (list: unknown): list is number[] =>
		Array.isArray(list) && list.every((n) => Number.isSafeInteger(n) && n >= 0);
	if (typeof dtype !== 'string' || !wholeNumbers(shape) || !wholeNumbers(offsets) || offsets.length !== 2 || offsets[1] < offsets[0]) {
		throw new ModelError(`${label} is damaged: the header entry of ${name} is not dtype, shape and two offsets.`);
	}
	const [from, to] = offsets;
	const size = BYTES[dtype];
	if (size && to - from !== count(shape) * size) {
		throw new ModelError(`${label} is damaged: ${name} of shape ${shape.join(' x ')} in ${dtype} needs ${count(shape) * size} bytes, the header gives it ${to - from}.`);
	}
	return { dtype, shape, from, to };
}

const count = (shape: number[]) => shape.reduce((a, b) => a * b, 1);
