/**
 * The browser's private file system, written through synchronous handles: they write in place, so
 * that what has arrived is there after a crash. They exist in workers only.
 */
import type { Shelf } from './shelf.ts';

const FOLDER = 'winnow-models';

/** What the types of the page leave out, since only workers have it. */
interface InWorker {
	createSyncAccessHandle(): Promise<{
		getSize(): number;
		write(bytes: Uint8Array, options: { at: number }): number;
		flush(): void;
		close(): void;
	}>;
}

/** null where this browser, or this thread, has no such files. */
export async function opfsShelf(storage: StorageManager | undefined = globalThis.navigator?.storage): Promise<Shelf | null> {
	if (typeof storage?.getDirectory !== 'function' || typeof FileSystemFileHandle === 'undefined'
		|| !('createSyncAccessHandle' in FileSystemFileHandle.prototype)) return null;
	// Private windows of some browsers have the function and refuse the call.
	const folder = await storage.getDirectory().then((root) => root.getDirectoryHandle(FOLDER, { create: true })).catch(() => null);
	return folder && shelfOf(folder);
}

function shelfOf(folder: FileSystemDirectoryHandle): Shelf {
	// Names hold slashes and colons, file names must not.
	const handle = (name: string, create = false) => folder.getFileHandle(encodeURIComponent(name), { create });
	// A file may go between finding it and opening it.
	const file = (name: string) => handle(name).then((found) => found.getFile()).catch(nullIfNone);
	return {
		kind: 'opfs',
		async names() {
			const names: string[] = [];
			for await (const name of folder.keys()) names.push(decodeURIComponent(name));
			return names;
		},
		size: async (name) => (await file(name))?.size ?? 0,
		read: file,
		async append(name) {
			const access = await (await handle(name, true) as unknown as InWorker).createSyncAccessHandle();
			let at = access.getSize();
			return {
				async write(chunk) {
					const written = access.write(chunk, { at });
					at += written;
					// A full disk shows as a short write in some browsers.
					if (written < chunk.length) throw new DOMException('The storage is full.', 'QuotaExceededError');
				},
				async close() {
					access.flush();
					access.close();
				}
			};
		},
		async remove(name) {
			await folder.removeEntry(encodeURIComponent(name)).catch(nullIfNone);
		}
	};
}

function nullIfNone(error: unknown): null {
	if (error instanceof DOMException && error.name === 'NotFoundError') return null;
	throw error;
}
