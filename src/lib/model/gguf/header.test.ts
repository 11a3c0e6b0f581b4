import { gguf } from '@huggingface/gguf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ModelError } from '../error.ts';
import { fileOfBlob, fileOfBytes } from '../stored-file.ts';
import { readGgufHeader } from './header.ts';
import { BOOL, F32, I32, LIST, STRING, U32, writeGguf, type Entry, type Written } from './testing.ts';

const read = (file: ArrayBuffer) => readGgufHeader(fileOfBytes('model.gguf', file));
const floats = (name: string, ...shape: number[]): Written => ({ name, type: 0, shape, bytes: new Uint8Array(4 * shape.reduce((a, b) => a * b, 1)) });
const entries: Entry[] = [
	['general.architecture', STRING, 'llama'], ['llama.block_count', U32, 7], ['x.truth', BOOL, true], ['x.minus', I32, -5], ['x.float', F32, 0.1],
	['x.texts', LIST, ['a', 'Ġthe', '', 'a longer text than sixteen'], STRING], ['x.numbers', LIST, [1, -2, 3], I32]
];
const tensors = [floats('a.weight', 2, 3), { name: 'b.weight', type: 8, shape: [2, 32], bytes: new Uint8Array(68).fill(9) }, floats('c', 1)];
const good = writeGguf(entries, tensors);

/** The same file, changed. */
function changed(change: (view: DataView, bytes: Uint8Array) => void, file = good): ArrayBuffer {
	const copy = file.slice(0);
	change(new DataView(copy), new Uint8Array(copy));
	return copy;
}
/** Where the bytes of a text begin in the file. */
const find = (text: string) => Buffer.from(good).indexOf(text);

describe('readGgufHeader', () => {
	it('reads entries, and tensors with where they lie', async () => {
		const { version, metadata, tensors: found } = await read(good);
		expect(version).toBe(3);
		expect(metadata.get('x.float')).toBe(Math.fround(0.1));
		expect(metadata.get('x.texts')).toEqual(['a', 'Ġthe', '', 'a longer text than sixteen']);
		expect(metadata.get('x.numbers')).toEqual(Int32Array.of(1, -2, 3));
		expect([...found.keys()]).toEqual(['a.weight', 'b.weight', 'c']);
		const b = found.get('b.weight')!;
		expect(b).toMatchObject({ dtype: 'Q8_0', shape: [2, 32] });
		expect(new Uint8Array(good.slice(b.from, b.to))).toEqual(tensors[1].bytes);
	});

	it('reads a header longer than what it takes first, from a Blob', async () => {
		const long = writeGguf([['x.long', LIST, Array<string>(30_000).fill('x'.repeat(80)), STRING], ...entries], tensors);
		const [a, b] = [await readGgufHeader(fileOfBlob('x', new Blob([long]))), await read(good)];
		expect(a.metadata.get('x.minus')).toBe(-5);
		expect([...a.tensors.keys()]).toEqual([...b.tensors.keys()]);
	});

	it('reads what @huggingface/gguf reads', async () => {
		const text = fc.string({ unit: 'grapheme', maxLength: 40 });
		await fc.assert(fc.asyncProperty(
			fc.uniqueArray(fc.tuple(fc.string({ minLength: 1 }), fc.oneof(
				text.map((t): [number, string] => [STRING, t]), fc.integer({ min: 0, max: 2 ** 32 - 1 }).map((n): [number, number] => [U32, n]), fc.boolean().map((t): [number, boolean] => [BOOL, t])
			)), { selector: ([key]) => key, maxLength: 8 }),
			fc.array(text, { maxLength: 20 }),
			async (scalars, texts) => {
				const file = writeGguf([...scalars.map(([key, [type, value]]): Entry => [`k.${key}`, type, value]), ['x.texts', LIST, texts, STRING]], tensors);
				const ours = await read(file);
				const theirs = await gguf('https://example.org/model.gguf', { fetch: async () => new Response(file) });
				for (const [key, value] of ours.metadata) expect(value).toEqual((theirs.metadata as Record<string, unknown>)[key]);
				for (const { name, shape, offset } of theirs.tensorInfos) {
					expect(ours.tensors.get(name)).toMatchObject({ shape: shape.map(Number).reverse(), from: Number(theirs.tensorDataOffset + offset) });
				}
			}
		), { numRuns: 40 });
	});

	it.each<[string, ArrayBuffer, string]>([
		['nothing', new ArrayBuffer(0), 'model.gguf is no GGUF file: it does not begin with GGUF.'],
		['a page', new TextEncoder().encode('<!doctype html><html><body></body></html>').buffer, 'it does not begin with GGUF'],
		['version 1', changed((v) => v.setUint32(4, 1, true)), 'it is of version 1; 2 and 3 can be read'],
		['big-endian numbers', changed((v) => v.setUint32(4, 3)), 'its numbers are big-endian'],
		['2^60 tensors', changed((v) => v.setBigUint64(8, 1n << 60n, true)), 'it names 1152921504606847000 tensors, which cannot fit'],
		['2^60 entries', changed((v) => v.setBigUint64(16, 1n << 60n, true)), 'it names 1152921504606847000 entries'],
		['a text longer than the file', changed((v) => v.setBigUint64(24, 1n << 63n, true)), 'characters in one text, which cannot fit'],
		['a list of 2^40 texts', changed((v) => v.setBigUint64(find('x.texts') + 7 + 8, 1n << 40n, true)), 'values of x.texts, which cannot fit'],
		['a list of lists', changed((v) => v.setUint32(find('x.texts') + 7 + 4, LIST, true)), 'x.texts is of kind 9, which is not known'],
		['a value of no kind', changed((v) => v.setUint32(find('x.truth') + 7, 77, true)), 'x.truth is of kind 77, which is not known'],
		['the same entry twice', changed((_, b) => b.set(b.subarray(find('x.truth'), find('x.truth') + 7), find('x.minus'))), 'it says twice what x.truth is'],
		['200 dimensions', changed((v) => v.setUint32(find('a.weight') + 8, 200, true)), 'a.weight has 200 dimensions'],
		['a dimension of 0', changed((v) => v.setBigUint64(find('a.weight') + 12, 0n, true)), 'a.weight has the impossible shape 2 x 0'],
		['a size that overflows', changed((v) => { v.setBigUint64(find('a.weight') + 12, 1n << 33n, true); v.setBigUint64(find('a.weight') + 20, 1n << 33n, true); }), 'a.weight has the impossible shape'],
		['a size beyond the file', changed((v) => v.setBigUint64(find('a.weight') + 12, 1n << 30n, true)), 'a.weight should lie at bytes'],
		['rows that are no blocks', changed((v) => v.setBigUint64(find('b.weight') + 12, 31n, true)), 'rows of 31 numbers of b.weight cannot be stored as Q8_0'],
		['an offset beyond the file', changed((v) => v.setBigUint64(find('a.weight') + 32, 1n << 62n, true)), 'a.weight should lie at bytes'],
		['an offset between the places', changed((v) => v.setBigUint64(find('a.weight') + 32, 4n, true)), 'a.weight should lie at bytes'],
		['tensors in one place', changed((v) => v.setBigUint64(find('b.weight') + 32, 0n, true)), 'the numbers of a.weight and b.weight overlap'],
		['two tensors of one name', changed((_, b) => { b[find('b.weight')] = 97; }), 'it has two tensors named a.weight'],
		['an alignment of 3', writeGguf([['general.alignment', U32, 3]], []), 'general.alignment is 3, not a power of two'],
		['a cut', good.slice(0, good.byteLength - 32), 'c should lie at bytes'],
		['a cut in the header', good.slice(0, 120), 'model.gguf is damaged or cut off']
	])('refuses a file with %s', async (_, file, message) => {
		await expect(read(file)).rejects.toThrow(ModelError);
		await expect(read(file)).rejects.toThrow(message);
	});
});
