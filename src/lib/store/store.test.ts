import { describe, expect, it } from 'vitest';
import { webLocks } from './locks.ts';
import { fileName } from './manifest.ts';
import { memoryShelf, put } from './shelf.ts';
import { Store } from './store.ts';
import { bytesOf, fakeHub, fakeLockManager, type Answering } from './testing.ts';

const ID = 'hf:org/smol';
const files = { 'config.json': '{"a":1}', 'tokenizer.json': '{}', 'model.safetensors': bytesOf(4000, 2), 'README.md': 'hello' };

function make(behave: Answering[] = [], shelf = memoryShelf(), manager = fakeLockManager(), commit = 'c1') {
	const hub = fakeHub({ 'org/smol': { commit, files } }, behave);
	let clock = 1000;
	const store = new Store(shelf, {
		hub: 'https://hub.test', fetch: hub.fetch, locks: webLocks(manager), now: () => ++clock, wait: async () => {},
		estimate: async () => ({ usage: 9e6, quota: 10e6 })
	});
	return { store, hub, shelf, manager };
}

describe('the store', () => {
	it('plans a model from its repository: one commit, the files that are read, their sizes', async () => {
		const { store, hub } = make();
		const plan = await store.plan(ID);
		expect(plan).toMatchObject({ id: ID, origin: 'https://hub.test/org/smol', commit: 'c1', bytes: 7 + 2 + 4000, config: { a: 1 } });
		expect(plan.files[2]).toEqual({ path: 'model.safetensors', size: 4000, url: 'https://hub.test/org/smol/resolve/c1/model.safetensors', etag: null });
		expect(hub.requests.map(({ path }) => path).filter((path) => path.includes('/resolve/'))).toEqual(['/org/smol/resolve/c1/config.json']);
	});

	it('says in words what a repository is not', async () => {
		const { store } = make();
		await expect(store.plan('hf:org/none')).rejects.toThrow(/has no model org\/none that is open to everybody/);
		await expect(store.plan('nano')).rejects.toThrow(/not on the Hugging Face Hub/);
		await expect(make([{ status: 502 }]).store.plan(ID)).rejects.toThrow('answered 502');
		const closed = new Store(memoryShelf(), { hub: 'https://hub.test', fetch: fakeHub({ 'org/smol': { commit: 'c1', files, gated: 'manual' } }).fetch });
		await expect(closed.plan(ID)).rejects.toThrow(/org\/smol is closed/);
		const offline = new Store(memoryShelf(), { hub: 'https://hub.test', fetch: () => Promise.reject(new TypeError('Failed to fetch')) });
		await expect(offline.plan(ID)).rejects.toThrow(/cannot be reached \(Failed to fetch\)/);
	});

	it('fetches, counts bytes, keeps, lists, gives the files, and deletes', async () => {
		const { store } = make();
		const seen: number[] = [];
		expect(await store.files(ID)).toBeNull();
		await store.download(await store.plan(ID), ({ loaded, total }) => { seen.push(loaded); expect(total).toBe(4009); });
		expect(seen.at(-1)).toBe(4009);
		expect(seen).toEqual([...seen].sort((a, b) => a - b));
		expect(await store.list()).toEqual([{ id: ID, origin: 'https://hub.test/org/smol', files: 3, bytes: 4009, here: 4009, complete: true, used: 1001 }]);
		const blobs = (await store.files(ID))!;
		expect(Object.keys(blobs)).toEqual(['config.json', 'tokenizer.json', 'model.safetensors']);
		expect(new Uint8Array(await blobs['model.safetensors'].arrayBuffer())).toEqual(files['model.safetensors']);
		expect((await store.get(ID))?.used).toBe(1002);
		await store.remove(ID);
		expect(await store.list()).toEqual([]);
		expect(await store.space()).toEqual({ kind: 'memory', used: 9e6, quota: 10e6 });
	});

	it('notes one time of use, read by two at once or not, and believes no other', async () => {
		const { store, shelf } = make();
		await store.download(await store.plan(ID));
		await Promise.all([store.files(ID), store.files(ID), store.files(ID)]);
		const used = (await store.get(ID))!.used;
		expect(used).toBeGreaterThan(1001);
		expect(used).toBeLessThan(1010);
		for (const text of ['17957000000001795700000000', '', 'x', '-5']) {
			await put(shelf, `used ${ID}`, text);
			expect((await store.get(ID))?.used).toBe(1001);
		}
	});

	it('gives the files while another call notes the use, when browsers refuse to read what was written anew', async () => {
		const shelf = memoryShelf();
		const used: string[] = [];
		const { store } = make([], {
			...shelf,
			async read(name) {
				const blob = await shelf.read(name);
				if (blob && name.startsWith('used ')) blob.text = () => (used.push(name), Promise.reject(new DOMException('gone', 'NotReadableError')));
				return blob;
			}
		});
		await store.download(await store.plan(ID));
		await store.files(ID);
		expect(Object.keys((await store.files(ID))!)).toHaveLength(3);
		expect((await store.list())[0]).toMatchObject({ id: ID, complete: true, used: 1001 });
		expect(used).not.toEqual([]);
	});

	it('goes on with what an earlier session has left, and drops parts of another commit', async () => {
		const first = make([{}, {}, {}, {}, {}, { breakAfter: 1000 }, { status: 500 }, { status: 500 }, { status: 500 }, { status: 500 }, { status: 500 }]);
		await expect(first.store.download(await first.store.plan(ID))).rejects.toThrow(/goes on from there/);
		expect(await first.store.get(ID)).toMatchObject({ here: 7 + 2 + 1000, complete: false });
		expect(await first.store.files(ID)).toBeNull();
		const second = make([], first.shelf);
		await second.store.download(await second.store.plan(ID));
		expect(second.hub.requests.filter(({ path }) => /resolve.*model/.test(path))).toEqual([{ path: '/org/smol/resolve/c1/model.safetensors', from: 1000 }]);
		expect((await second.store.get(ID))?.complete).toBe(true);

		await first.shelf.remove(fileName(ID, 'model.safetensors'));
		await put(first.shelf, fileName(ID, 'model.safetensors'), 'half of the old one');
		const third = make([], first.shelf, fakeLockManager(), 'c2');
		await third.store.download(await third.store.plan(ID));
		expect(third.hub.requests.find(({ path }) => path.endsWith('model.safetensors'))).toMatchObject({ from: null });
	});

	it('lets one of two tabs fetch; the other waits, and finds it there', async () => {
		const shelf = memoryShelf();
		const one = make([], shelf);
		const other = make([], shelf, one.manager);
		const plan = await one.store.plan(ID);
		const waited: boolean[] = [];
		const first = one.store.download(plan);
		const second = other.store.download(await other.store.plan(ID), ({ waiting }) => waited.push(waiting));
		await expect(other.store.remove(ID)).rejects.toThrow(/being fetched or read/);
		await Promise.all([first, second]);
		expect(waited[0]).toBe(true);
		expect(other.hub.requests.filter(({ path }) => /resolve.*model/.test(path))).toEqual([]);
		expect((await other.store.get(ID))?.complete).toBe(true);
	});

	it('stops waiting for the other tab when cancelled', async () => {
		const { store, manager } = make();
		const control = new AbortController();
		const plan = await store.plan(ID);
		let finish = () => {};
		const elsewhere = manager.request(`winnow model ${ID}`, {}, () => new Promise<void>((resolve) => (finish = resolve)));
		await expect(store.download(plan, ({ waiting }) => waiting && control.abort(new DOMException('stop', 'AbortError')), control.signal)).rejects.toMatchObject({ name: 'AbortError' });
		finish();
		await elsewhere;
	});

	it('keeps dropped files in place of those that had their name', async () => {
		const { store } = make();
		await store.keep('file:mine', new Map([['config.json', new Blob(['{}'])], ['old.json', new Blob(['x'])]]));
		const seen: number[] = [];
		await store.keep('file:mine', new Map([['model.gguf', new Blob([bytesOf(300_000, 1)])]]), ({ loaded }) => seen.push(loaded));
		expect(Object.keys((await store.files('file:mine'))!)).toEqual(['model.gguf']);
		expect(seen.at(-1)).toBe(300_000);
		expect(await store.list()).toMatchObject([{ id: 'file:mine', files: 1, bytes: 300_000, complete: true }]);
	});

	it('says when the storage is full, and how full', async () => {
		const shelf = memoryShelf();
		const { store } = make([], {
			...shelf,
			append: async (name) => (name.includes('safetensors') ? { write: () => Promise.reject(new DOMException('full', 'QuotaExceededError')), close: async () => {} } : shelf.append(name))
		});
		await expect(store.download(await store.plan(ID))).rejects.toThrow(/storage is full\. The browser gives this site 10 MB, of which 9 MB are in use.*Delete a model/);
	});

	it('clears away what a page left behind when it died, but nothing that is being written', async () => {
		const { store, shelf, manager } = make();
		await put(shelf, fileName('hf:a/dead', 'x.bin'), 'abc');
		await put(shelf, 'manifest hf:a/broken', '{"version":1,');
		await put(shelf, fileName('hf:a/busy', 'x.bin'), 'abc');
		let finish = () => {};
		const writing = manager.request('winnow model hf:a/busy', {}, () => new Promise<void>((resolve) => (finish = resolve)));
		expect(await store.list()).toEqual([]);
		expect(await shelf.names()).toEqual([fileName('hf:a/busy', 'x.bin')]);
		finish();
		await writing;
	});
});
