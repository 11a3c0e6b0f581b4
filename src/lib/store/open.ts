/** The store of this browser: private files where there are any, else Cache storage, else memory. */
import { cacheShelf } from './cache-shelf.ts';
import { opfsShelf } from './opfs.ts';
import { memoryShelf } from './shelf.ts';
import { Store, type StoreOptions } from './store.ts';

export async function openStore(options: StoreOptions = {}): Promise<Store> {
	return new Store((await opfsShelf()) ?? (await cacheShelf()) ?? memoryShelf(), options);
}
