import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cacheShelf } from './cache-shelf.ts';
import { memoryShelf, put, type Shelf } from './shelf.ts';
import { bytesOf } from './testing.ts';

/** Cache storage as far as a shelf uses it. */
function fakeCaches(): CacheStorage {
	const entries = new Map<string, Blob>();
	const cache = {
		keys: async () => [...entries.keys()].map((url) => new Request(url)),
		match: async (request: Request) => (entries.has(request.url) ? new Response(entries.get(request.url)) : undefined),
		put: async (url: string, response: Response) => void entries.set(new URL(url).href, await response.blob()),
		delete: async (request: Request) => entries.delete(request.url)
	};
	return { open: async () => cache } as unknown as CacheStorage;
}

const shelves: [string, () => Promise<Shelf>][] = [
	['memory', async () => memoryShelf()],
	['Cache storage', async () => (await cacheShelf(fakeCaches(), 100))!]
];

describe.each(shelves)('a shelf in %s', (_, make) => {
	it('keeps what was written, whatever the pieces and the interruptions', async () => {
		await fc.assert(fc.asyncProperty(fc.array(fc.array(fc.integer({ min: 0, max: 250 }), { maxLength: 4 }), { maxLength: 4 }), async (sessions) => {
			const shelf = await make();
			const whole = bytesOf(sessions.flat().reduce((a, b) => a + b, 0), 3);
			let at = 0;
			for (const pieces of sessions) {
				const sink = await shelf.append('hf:a/b@main/x y.bin');
				for (const piece of pieces) await sink.write(whole.slice(at, (at += piece)));
				await sink.close();
				expect(await shelf.size('hf:a/b@main/x y.bin')).toBe(at);
			}
			const blob = await shelf.read('hf:a/b@main/x y.bin');
			if (sessions.length === 0) expect(blob).toBeNull();
			else expect(new Uint8Array(await blob!.arrayBuffer())).toEqual(whole);
		}), { numRuns: 40 });
	});

	it('tells names apart, replaces and removes', async () => {
		const shelf = await make();
		await put(shelf, 'a', 'one');
		await put(shelf, 'a/b', 'two');
		await put(shelf, 'a', 'x');
		expect((await shelf.names()).sort()).toEqual(['a', 'a/b']);
		expect(await (await shelf.read('a'))!.text()).toBe('x');
		await shelf.remove('a');
		await shelf.remove('never there');
		expect(await shelf.names()).toEqual(['a/b']);
		expect(await shelf.read('a')).toBeNull();
		expect(await shelf.size('a')).toBe(0);
	});
});

it('there is no shelf in Cache storage where there is none, or it is refused', async () => {
	expect(await cacheShelf(undefined)).toBeNull();
	expect(await cacheShelf({ open: () => Promise.reject(new DOMException('no', 'SecurityError')) } as unknown as CacheStorage)).toBeNull();
});
