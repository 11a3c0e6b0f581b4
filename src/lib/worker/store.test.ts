import { expose, type Endpoint } from 'comlink';
import { afterEach, expect, it } from 'vitest';
import { webLocks } from '$lib/store/locks.ts';
import { memoryShelf } from '$lib/store/shelf.ts';
import { Store, type DownloadProgress } from '$lib/store/store.ts';
import { bytesOf, fakeHub, fakeLockManager, type Answering } from '$lib/store/testing.ts';
import { makeStoreService } from './store-service.ts';
import { StoreClient } from './store-client.ts';

const ID = 'hf:org/smol';
const HUB = 'https://hub.test';
const files = { 'config.json': '{"a":1}', 'tokenizer.json': '{}', 'model.safetensors': bytesOf(4000, 2) };
const ports: MessagePort[] = [];
afterEach(() => ports.splice(0).forEach((port) => port.close()));

/** A clock that ticks with every look at it. */
function connect(behave: Answering[] = [], tick = 1) {
	const hub = fakeHub({ 'org/smol': { commit: 'c1', files } }, behave);
	const { port1, port2 } = new MessageChannel();
	ports.push(port1, port2);
	let time = 0;
	const store = new Store(memoryShelf(), { fetch: hub.fetch, locks: webLocks(fakeLockManager()), wait: async () => {}, estimate: async () => ({ usage: 1, quota: 2 }) });
	expose(makeStoreService(async () => store, () => (time += tick)), port1 as unknown as Endpoint);
	return { client: new StoreClient(port2 as unknown as Endpoint), hub };
}

it('plans, fetches, lists, hands the files over, and deletes, from another thread', async () => {
	const { client } = connect();
	const plan = await client.plan(ID, HUB);
	expect(plan).toMatchObject({ bytes: 4009, config: { a: 1 } });
	const seen: DownloadProgress[] = [];
	await client.download(plan, (progress) => seen.push(progress));
	expect(seen.at(-1)).toEqual({ loaded: 4009, total: 4009, waiting: false });
	expect(await client.list()).toMatchObject({ models: [{ id: ID, complete: true }], space: { kind: 'memory', used: 1, quota: 2 } });
	const got = (await client.files(ID))!;
	expect(new Uint8Array(await got['model.safetensors'].arrayBuffer())).toEqual(files['model.safetensors']);
	await client.remove(ID);
	expect(await client.files(ID)).toBeNull();
	await client.keep('file:mine', { 'm.gguf': new Blob(['abc']) }, () => {});
	expect((await client.list()).models.map(({ id }) => id)).toEqual(['file:mine']);
});

it('reports seldom, and the last word always', async () => {
	const { client } = connect([], 0);
	const seen: number[] = [];
	await client.download(await client.plan(ID, HUB), ({ loaded }) => seen.push(loaded));
	expect(seen.length).toBe(2);
	expect(seen.at(-1)).toBe(4009);
});

it('reports how far a download came that stalls', async () => {
	const { client } = connect([{}, {}, {}, {}, {}, { stallAfter: 1800 }], 0);
	const plan = await client.plan(ID, HUB);
	// The clock stands still, so nothing but the stall can be what lets this be heard.
	const stopped = new Promise<void>((resolve) => {
		const done = client.download(plan, ({ loaded }) => {
			if (loaded === 1809) client.cancel();
		});
		done.catch(() => resolve());
	});
	await stopped;
	expect((await client.list()).models[0]).toMatchObject({ here: 1809, complete: false });
});

it('is cancelled with an AbortError, keeps what has arrived, and goes on', async () => {
	// Commit, list and config.json for the plan; then the three files.
	const { client, hub } = connect([{}, {}, {}, {}, {}, { stallAfter: 1800 }], 200);
	const plan = await client.plan(ID, HUB);
	await expect(client.download(plan, ({ loaded }) => loaded === 1809 && client.cancel())).rejects.toMatchObject({ name: 'AbortError' });
	expect((await client.list()).models[0]).toMatchObject({ here: 1809, complete: false });
	const before = hub.requests.length;
	await client.download(plan, () => {});
	expect(hub.requests.slice(before)).toEqual([{ path: '/org/smol/resolve/c1/model.safetensors', from: 1800 }]);
	expect((await client.list()).models[0].complete).toBe(true);
});

it('says in words what went wrong', async () => {
	const { client } = connect();
	await expect(client.plan('hf:org/none', HUB)).rejects.toMatchObject({ name: 'LabError', message: expect.stringMatching(/has no model org\/none/) });
});
