/**
 * A recorded run as a file: compact JSON in which every typed array is base64 of its bytes,
 * optionally gzipped. Float arrays may be stored as halves: pictures do not see the difference, and
 * a recorded run must be small enough to be part of a page.
 *
 * A typed array becomes `{"$": "f32", "d": base64}`; `h16` is a Float32Array stored as halves, `n: 1`
 * says that the bytes were deflated, `f` that they are steps from a first number. The reader gives
 * back the arrays that were written.
 */
import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'fflate';
import { fromHalf, toHalf } from '$lib/numerics/half.ts';
import { probeKey, type ProbeOf, type ProbeRequest, type Recording, type TraceSource } from './trace.ts';

type Typed = Float32Array | Float64Array | Uint8Array | Uint16Array | Uint32Array | Int8Array | Int32Array;
const KINDS = {
	f32: Float32Array, f64: Float64Array, u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, i8: Int8Array, i32: Int32Array
} as const;
type Kind = keyof typeof KINDS;

export function base64(bytes: Uint8Array): string {
	let text = '';
	for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
	return btoa(text);
}

export function unbase64(text: string): Uint8Array {
	const binary = atob(text);
	const bytes = new Uint8Array(binary.length);
	for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
	return bytes;
}

interface Packed {
	$: Kind | 'h16';
	d: string;
	/** Deflated. */
	n?: 1;
	/** Steps between neighbours as bytes, after this first number. */
	f?: number;
}

/** Positions ascend by little: the steps between them are bytes, and mostly ones. */
function steps(array: Typed): Uint8Array | null {
	if (array.length < 2 || array instanceof Float32Array || array instanceof Float64Array) return null;
	const bytes = new Uint8Array(array.length - 1);
	for (let i = 1; i < array.length; i++) {
		const step = array[i] - array[i - 1];
		if (step < 0 || step > 255) return null;
		bytes[i - 1] = step;
	}
	return bytes;
}

function pack(array: Typed, halves: boolean): Packed {
	const kind = (Object.keys(KINDS) as Kind[]).find((k) => array instanceof KINDS[k]) as Kind;
	const asHalf = halves && array instanceof Float32Array;
	const ascending = kind === 'u8' || kind === 'i8' ? null : steps(array);
	const source = asHalf ? toHalf(array) : (ascending ?? array);
	const bytes = new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
	const small = deflateSync(bytes, { level: 9 });
	const shorter = small.length < bytes.length;
	return { $: asHalf ? 'h16' : kind, d: base64(shorter ? small : bytes), ...(shorter ? { n: 1 } : {}), ...(ascending ? { f: array[0] } : {}) };
}

function unpack(packed: Packed): Typed {
	const stored = unbase64(packed.d);
	const bytes = packed.n ? inflateSync(stored) : stored;
	if (packed.f !== undefined) {
		const array = new KINDS[packed.$ as Kind](bytes.length + 1);
		array[0] = packed.f;
		bytes.forEach((step, i) => (array[i + 1] = array[i] + step));
		return array as Typed;
	}
	// A copy of its own, so that the view is aligned.
	const buffer = bytes.slice().buffer;
	if (packed.$ === 'h16') return fromHalf(new Uint16Array(buffer));
	return new KINDS[packed.$](buffer) as Typed;
}

/** JSON.stringify and JSON.parse write NaN and infinities as null: they need a form of their own. */
const ODD: Record<string, number> = { NaN, Infinity, '-Infinity': -Infinity };

/** The recording as JSON text. `halves` stores Float32Arrays in 16 bits. */
export function writeRecording(recording: Recording, options: { halves?: boolean } = {}): string {
	const halves = options.halves ?? false;
	return JSON.stringify(recording, (_key, value: unknown) => {
		if (ArrayBuffer.isView(value)) return pack(value as Typed, halves);
		if (typeof value === 'number' && !Number.isFinite(value)) return { $: 'x', d: String(value) };
		return value;
	});
}

/** Reads what `writeRecording` wrote. Throws Error in plain words when it is no recording. */
export function readRecording(text: string): Recording {
	let value: unknown;
	try {
		value = JSON.parse(text, (_key, item: unknown) => {
			if (typeof item !== 'object' || item === null || !('$' in item)) return item;
			const packed = item as { $: string; d: string };
			return packed.$ === 'x' ? ODD[packed.d] : unpack(packed as Packed);
		});
	} catch (error) {
		throw new Error(`This file is not a recorded run (${(error as Error).message}).`, { cause: error });
	}
	const recording = value as Recording;
	if (recording?.trace?.version !== 1 || !recording.probes) throw new Error('This file is not a recorded run of version 1.');
	return recording;
}

/** The recording as a gzipped file. */
export function zipRecording(recording: Recording, options?: { halves?: boolean }): Uint8Array {
	return gzipSync(new TextEncoder().encode(writeRecording(recording, options)), { level: 9, mtime: 0 });
}

export function unzipRecording(bytes: Uint8Array): Recording {
	return readRecording(new TextDecoder().decode(gunzipSync(bytes)));
}

/** A recording as a source for pictures: it has the probes that were recorded and no others. */
export function recordedSource(recording: Recording): TraceSource {
	return {
		trace: recording.trace,
		probe: <R extends ProbeRequest>(request: R) => Promise.resolve((recording.probes[probeKey(request)] ?? null) as ProbeOf<R> | null)
	};
}
