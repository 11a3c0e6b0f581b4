import { expect, it } from 'vitest';
import { blobSource } from './blobs.ts';

const source = blobSource('mine', { 'config.json': new Blob(['{"a":1}']), 'broken.json': new Blob(['{']), 'model.safetensors': new Blob([new Uint8Array([1, 2, 3])]) });

it('gives the files of a model, and null for those it has not', async () => {
	expect(await source.json('config.json')).toEqual({ a: 1 });
	expect(await source.json('other.json')).toBeNull();
	expect(await source.bytes('toString')).toBeNull();
	const seen: number[][] = [];
	expect(new Uint8Array((await source.bytes('model.safetensors', (loaded, total) => seen.push([loaded, total])))!)).toEqual(new Uint8Array([1, 2, 3]));
	expect(seen).toEqual([[3, 3]]);
	await expect(source.json('broken.json')).rejects.toThrow('broken.json of mine is not valid JSON.');
});

it('says when a file has gone since, and stops when cancelled', async () => {
	const gone = Object.assign(new Blob(['x']), { arrayBuffer: () => Promise.reject(new DOMException('gone', 'NotFoundError')) });
	await expect(blobSource('mine', { 'config.json': gone }).json('config.json')).rejects.toThrow(/can no longer be read.*Fetch or drop/);
	await expect(source.bytes('model.safetensors', undefined, AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
});
