import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fetchInto, type Wanted } from './fetch-file.ts';
import { memoryShelf } from './shelf.ts';
import { bytesOf, fakeServer, type Answering } from './testing.ts';

const content = bytesOf(5000, 1);
const wanted: Wanted = { path: 'model.safetensors', url: 'https://hub.test/model.safetensors', size: content.length, etag: null };

/** Fetches from a server that behaves as told, one entry a request; keeps the version between attempts. */
async function fetchFrom(behave: Answering[], shelf = memoryShelf(), etag: string | null = null) {
	const server = fakeServer({ '/model.safetensors': content }, behave);
	const waits: number[] = [];
	let version = etag;
	const seen: number[] = [];
	const done = fetchInto(shelf, 'm', { ...wanted, etag }, {
		fetch: server.fetch, onBytes: (have) => seen.push(have), onVersion: async (now) => void (version = now), wait: async (n) => void waits.push(n)
	});
	const error = await done.then(() => null, (reason: Error) => reason);
	const blob = await shelf.read('m');
	return { error, bytes: blob && new Uint8Array(await blob.arrayBuffer()), requests: server.requests, waits, version, seen, shelf };
}

describe('fetching a file', () => {
	it('streams it onto the shelf and tells how much is there', async () => {
		const { error, bytes, requests, seen, version } = await fetchFrom([{}]);
		expect(error).toBeNull();
		expect(bytes).toEqual(content);
		expect(requests).toEqual([{ path: '/model.safetensors', from: null }]);
		expect(seen[0]).toBe(0);
		expect(seen.at(-1)).toBe(content.length);
		expect(version).toBe('"1"');
	});

	it('goes on where the connection broke', async () => {
		const { error, bytes, requests, waits } = await fetchFrom([{ breakAfter: 1200 }, { breakAfter: 700 }, {}]);
		expect(error).toBeNull();
		expect(bytes).toEqual(content);
		expect(requests.map(({ from }) => from)).toEqual([null, 1200, 1900]);
		expect(waits).toEqual([0, 0]);
	});

	it('goes on after a connection that ended early without a complaint, and in another session', async () => {
		const shelf = memoryShelf();
		const first = await fetchFrom([{ endAfter: 2000 }, { status: 503 }, { status: 503 }, { status: 429 }, { status: 503 }], shelf);
		expect(first.error?.message).toMatch(/could not be fetched: the server answered 503\. What has arrived is kept/);
		expect(first.waits).toEqual([0, 1, 2, 3]);
		expect(await shelf.size('m')).toBe(2000);
		const second = await fetchFrom([{}], shelf, first.version);
		expect(second.requests).toEqual([{ path: '/model.safetensors', from: 2000 }]);
		expect(second.bytes).toEqual(content);
	});

	it('starts again when the server does not know ranges', async () => {
		const { error, bytes, requests } = await fetchFrom([{ breakAfter: 1200 }, { ranges: false }]);
		expect(error).toBeNull();
		expect(bytes).toEqual(content);
		expect(requests.map(({ from }) => from)).toEqual([null, 1200]);
	});

	it('starts again when the file has another version by now', async () => {
		const { error, bytes, requests, version } = await fetchFrom([{ breakAfter: 1200 }, { etag: '"2"' }, { etag: '"2"' }]);
		expect(error).toBeNull();
		expect(bytes).toEqual(content);
		expect(requests.map(({ from }) => from)).toEqual([null, 1200, null]);
		expect(version).toBe('"2"');
	});

	it('starts again when the part does not go on where the last one ended', async () => {
		for (const wrong of [{ shift: 10 }, { total: 6000 }, { status: 416 }] satisfies Answering[]) {
			const { error, bytes, requests } = await fetchFrom([{ breakAfter: 1200 }, wrong, {}]);
			expect(error).toBeNull();
			expect(bytes).toEqual(content);
			expect(requests.map(({ from }) => from)).toEqual([null, 1200, null]);
		}
	});

	it('gives up on a file that is longer or shorter than it should be, without keeping more of it', async () => {
		const longer = await fetchFrom(Array.from({ length: 9 }, () => ({ extra: 100_000 })));
		expect(longer.error?.message).toMatch(/cannot be had whole: the server sends more than the 5000 bytes/);
		expect(Math.max(...longer.seen)).toBeLessThan(content.length + 2000);
		const shorter = await fetchFrom(Array.from({ length: 40 }, () => ({ endAfter: 4000, ranges: false })));
		expect(shorter.error?.message).toMatch(/ended too early/);
		expect(shorter.requests.length).toBeLessThan(10);
	});

	it('says when a file is missing or closed to strangers, at once', async () => {
		expect((await fetchFrom([{ status: 404 }])).error?.message).toMatch(/model\.safetensors could not be fetched: the server answered 404/);
		expect((await fetchFrom([{ status: 403 }])).error?.message).toMatch(/not open to everybody/);
		expect((await fetchFrom([{ status: 404 }])).waits).toEqual([]);
	});

	it('ends at once when cancelled, and keeps what has arrived', async () => {
		const shelf = memoryShelf();
		const control = new AbortController();
		const { fetch } = fakeServer({ '/model.safetensors': content }, [{}]);
		await expect(fetchInto(shelf, 'm', wanted, {
			fetch, signal: control.signal, onBytes: (have) => { if (have > 1500) control.abort(new DOMException('stop', 'AbortError')); }
		})).rejects.toMatchObject({ name: 'AbortError' });
		const kept = await shelf.size('m');
		expect(kept).toBeGreaterThan(1500);
		expect(kept).toBeLessThan(content.length);
	});

	it('makes an empty file', async () => {
		const shelf = memoryShelf();
		await fetchInto(shelf, 'e', { ...wanted, size: 0, url: 'https://hub.test/empty' }, { fetch: fakeServer({ '/empty': new Uint8Array(0) }, [{}]).fetch });
		expect((await shelf.read('e'))?.size).toBe(0);
	});

	it('has the right bytes after any run of mishaps, or says that it has not', async () => {
		const mishap: fc.Arbitrary<Answering> = fc.record({
			breakAfter: fc.integer({ min: 0, max: 3000 }), endAfter: fc.integer({ min: 0, max: 5000 }), ranges: fc.boolean(),
			etag: fc.constantFrom('"1"', '"2"'), status: fc.constantFrom(200, 200, 200, 500, 416), shift: fc.constantFrom(0, 0, 7)
		}, { requiredKeys: [] });
		await fc.assert(fc.asyncProperty(fc.array(mishap, { maxLength: 12 }), async (behave) => {
			const { error, bytes } = await fetchFrom([...behave, {}, {}, {}]);
			if (error) expect(error.message).toMatch(/could not be fetched|cannot be had whole/);
			else expect(bytes).toEqual(content);
		}), { numRuns: 100, examples: [[[{ endAfter: 1 }, { breakAfter: 0, shift: 7 }]]] });
	});
});
