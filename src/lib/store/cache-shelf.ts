/**
 * Cache storage as a shelf, where there are no private files. An entry cannot grow, so a file is a
 * run of entries: its parts, each under the address NAME?FROM, FROM being where the part begins.
 */
import type { Shelf } from './shelf.ts';

const CACHE = 'winnow-models';
const BASE = 'https://models.invalid/';
/** Bytes of a part: what an interruption can lose. */
const PART = 8_000_000;

/** null where there is no Cache storage (plain http, old browsers). */
export async function cacheShelf(caches: CacheStorage | undefined = globalThis.caches, part = PART): Promise<Shelf | null> {
	const cache = await caches?.open(CACHE).catch(() => null);
	return cache ? shelfOf(cache, part) : null;
}

interface Part {
	name: string;
	from: number;
	request: Request;
}

function shelfOf(cache: Cache, partBytes: number): Shelf {
	const all = async (): Promise<Part[]> => (await cache.keys()).map((request) => {
		const url = new URL(request.url);
		return { name: decodeURIComponent(url.pathname.slice(1)), from: Number(url.search.slice(1)), request };
	});
	/** Parts that follow one another from 0; a part behind a gap is worth nothing. */
	const run = async (name: string): Promise<{ from: number; blob: Blob }[]> => {
		const parts = (await all()).filter((part) => part.name === name).sort((a, b) => a.from - b.from);
		const found: { from: number; blob: Blob }[] = [];
		let end = 0;
		for (const { from, request } of parts) {
			const blob = from === end ? await (await cache.match(request))?.blob() : undefined;
			if (!blob) break;
			found.push({ from, blob });
			end += blob.size;
		}
		return found;
	};
	const size = async (name: string) => (await run(name)).reduce((sum, { blob }) => sum + blob.size, 0);
	const remove = async (name: string, from = 0) => {
		for (const part of await all()) if (part.name === name && part.from >= from) await cache.delete(part.request);
	};

	return {
		kind: 'cache',
		names: async () => [...new Set((await all()).map(({ name }) => name))],
		size,
		async read(name) {
			const parts = await run(name);
			return parts.length ? new Blob(parts.map(({ blob }) => blob)) : null;
		},
		async append(name) {
			let start = await size(name);
			// Parts behind a gap would join what comes now.
			await remove(name, start);
			let waiting: Uint8Array<ArrayBuffer>[] = [];
			let bytes = 0;
			const flush = async () => {
				await cache.put(`${BASE}${encodeURIComponent(name)}?${start}`, new Response(new Blob(waiting)));
				start += bytes;
				waiting = [];
				bytes = 0;
			};
			return {
				async write(chunk) {
					waiting.push(chunk.slice());
					bytes += chunk.length;
					if (bytes >= partBytes) await flush();
				},
				async close() {
					if (bytes > 0 || start === 0) await flush();
				}
			};
		},
		remove: (name) => remove(name)
	};
}
