/** Filling the shelf with a model: from a plan of the hub, or from dropped files. */
import { ModelError } from '$lib/model/error.ts';
import { fetchInto } from './fetch-file.ts';
import type { Plan } from './hub.ts';
import { fileName, readManifest, removeAll, writeManifest, type Manifest } from './manifest.ts';
import type { Shelf } from './shelf.ts';

export interface FillOptions {
	now: () => number;
	/** Bytes of the model that are here. */
	onBytes: (loaded: number) => void;
	fetch?: typeof fetch;
	signal?: AbortSignal;
	wait?: (attempt: number) => Promise<void>;
}

/** Fetches what is missing of a plan. Throws ModelError; the signal's reason. What has arrived is kept either way. */
export async function fetchModel(shelf: Shelf, plan: Plan, options: FillOptions): Promise<void> {
	const { signal, wait, fetch: own } = options;
	const manifest = await begin(shelf, plan, options.now());
	const count = counter(options.onBytes);
	for (const file of manifest.files) {
		await fetchInto(shelf, fileName(plan.id, file.path), { ...file, url: file.url! }, {
			fetch: own ?? ((input, init) => fetch(input, init)),
			...(signal ? { signal } : {}), ...(wait ? { wait } : {}),
			onBytes: count(file.path),
			onVersion: async (etag) => {
				if (file.etag === etag) return;
				file.etag = etag;
				await writeManifest(shelf, manifest);
			}
		});
	}
}

/** The manifest of a plan; parts of another commit are dropped, those of the same go on. */
async function begin(shelf: Shelf, { id, origin, commit, files }: Plan, now: number): Promise<Manifest> {
	const before = await readManifest(shelf, id);
	const same = before?.commit === commit ? before : null;
	if (!same) await removeAll(shelf, id);
	const etags = new Map(same?.files.map(({ path, etag }) => [path, etag]));
	const manifest: Manifest = {
		version: 1, id, origin, commit, added: same?.added ?? now,
		files: files.map((file) => ({ ...file, etag: etags.get(file.path) ?? null }))
	};
	await writeManifest(shelf, manifest);
	return manifest;
}

/** Copies files to the shelf under `id`; what had that id before is gone. Throws the signal's reason. */
export async function copyFiles(shelf: Shelf, id: string, files: ReadonlyMap<string, Blob>, { now, onBytes, signal }: FillOptions): Promise<void> {
	await removeAll(shelf, id);
	await writeManifest(shelf, {
		version: 1, id, origin: 'dropped on the page', commit: null, added: now(),
		files: [...files].map(([path, { size }]) => ({ path, size, url: null, etag: null }))
	});
	const count = counter(onBytes);
	for (const [path, blob] of files) {
		const add = count(path);
		const sink = await shelf.append(fileName(id, path));
		let have = 0;
		try {
			const reader = blob.stream().getReader();
			for (let next = await reader.read(); !next.done; next = await reader.read()) {
				signal?.throwIfAborted();
				await sink.write(next.value);
				add(have += next.value.length);
			}
		} finally {
			await sink.close();
		}
	}
}

/** Adds up the bytes of several files. */
function counter(onBytes: (loaded: number) => void): (path: string) => (have: number) => void {
	const all = new Map<string, number>();
	return (path) => (have) => {
		all.set(path, have);
		onBytes([...all.values()].reduce((a, b) => a + b, 0));
	};
}

/** A full storage as a sentence; any other error as it is. */
export function fullStorage(error: unknown, wanted: number, { used, quota }: { used: number | null; quota: number | null }): unknown {
	if (!(error instanceof DOMException && error.name === 'QuotaExceededError')) return error;
	const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
	const room = used !== null && quota !== null
		? ` The browser gives this site ${megabytes(quota)}, of which ${megabytes(used)} are in use; the model takes ${megabytes(wanted)}.` : '';
	return new ModelError(`The browser's storage is full.${room} Delete a model that is kept, or choose a smaller one.`, { cause: error });
}
