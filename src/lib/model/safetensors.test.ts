import { describe, expect, it } from 'vitest';
import { toHalf } from '$lib/numerics/half.ts';
import { ModelError, readSafetensors, toFloat32 } from './safetensors.ts';
import { writeSafetensors } from './random-llama.ts';

const bytes = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
const numbers = Float32Array.of(0.5, -2, 65504, 1 / 3, 0, 1e-5);

/** A file with this header and so many bytes of numbers. */
function fileOf(header: string, data = 0): ArrayBuffer {
	const text = new TextEncoder().encode(header);
	const file = new Uint8Array(8 + text.length + data);
	new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
	file.set(text, 8);
	return file.buffer;
}
const entry = (dtype: string, shape: number[], from: number, to: number) => ({ dtype, shape, data_offsets: [from, to] });

describe('readSafetensors', () => {
	it('reads F32, F16 and BF16, at any alignment', () => {
		const bf16 = Uint16Array.from(new Uint32Array(numbers.buffer), (bits) => bits >>> 16);
		const file = writeSafetensors([
			{ name: 'odd', dtype: 'U8', shape: [1], bytes: Uint8Array.of(7) },
			{ name: 'a', dtype: 'F32', shape: [2, 3], bytes: bytes(numbers) },
			{ name: 'b', dtype: 'F16', shape: [6], bytes: bytes(toHalf(numbers)) },
			{ name: 'c', dtype: 'BF16', shape: [3, 2], bytes: bytes(bf16) }
		]);
		const tensors = readSafetensors(file, 'x');
		expect(tensors.get('a')!.shape).toEqual([2, 3]);
		expect(toFloat32(tensors.get('a')!)).toEqual(numbers);
		expect(Array.from(toFloat32(tensors.get('b')!))).toEqual([0.5, -2, 65504, 0.333251953125, 0, Math.fround(1.0013580322265625e-5)]);
		expect(Array.from(toFloat32(tensors.get('c')!)).slice(0, 2)).toEqual([0.5, -2]);
		expect(Array.from(toFloat32(tensors.get('a')!, 1, 3))).toEqual([-2, 65504]);
		expect(() => toFloat32(tensors.get('odd')!)).toThrow('odd is stored as U8; only F32, F16, BF16, Q4_0');
	});

	it.each([
		['too short', new ArrayBuffer(4), 'it has only 4 bytes'],
		['a page in place of a file', new TextEncoder().encode('<!doctype html><html></html>').buffer, 'is no safetensors file'],
		['no JSON', fileOf('not json'), 'its header is not a JSON object'],
		['an array', fileOf('[1]'), 'its header is not a JSON object'],
		['cut off', fileOf(JSON.stringify({ a: entry('F32', [4], 0, 16) }), 8), 'is cut off'],
		['a wrong size', fileOf(JSON.stringify({ a: entry('F32', [4], 0, 12) }), 12), 'needs 16 bytes, the header gives it 12'],
		['offsets backwards', fileOf(JSON.stringify({ a: entry('F32', [0], 8, 4) }), 12), 'is not dtype, shape and two offsets'],
		['a negative shape', fileOf(JSON.stringify({ a: entry('F32', [-1], 0, 4) }), 12), 'is not dtype, shape and two offsets'],
		['an overlap', fileOf(JSON.stringify({ a: entry('F32', [2], 0, 8), b: entry('F32', [1], 4, 8) }), 8), 'the numbers of a and b overlap']
	])('refuses %s', (_, file, message) => {
		expect(() => readSafetensors(file as ArrayBuffer, 'model.safetensors')).toThrow(ModelError);
		expect(() => readSafetensors(file as ArrayBuffer, 'model.safetensors')).toThrow(message);
	});
});
