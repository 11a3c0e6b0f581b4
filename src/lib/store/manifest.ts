/** What is written down about a model on the shelf, beside its files. */
import { put, type Shelf } from './shelf.ts';

export interface WantedFile {
	/** Path inside the model. */
	path: string;
	size: number;
	/** null for dropped files, which cannot be fetched again. */
	url: string | null;
	/** The server's mark of the version of which a part may be here. */
	etag: string | null;
}

export interface Manifest {
	version: 1;
	/** As an experiment names it. */
	id: string;
	origin: string;
	commit: string | null;
	files: WantedFile[];
	/** Milliseconds since 1970. */
	added: number;
}

const MANIFEST = 'manifest ';
const FILE = 'file ';
/** When a model was last used: apart from the manifest, which is never rewritten once its files are here. */
const USED = 'used ';
/** The last millisecond that a date can say. */
const LATEST = 8.64e15;

export const fileName = (id: string, path: string) => `${FILE}${id} ${path}`;
const manifestName = (id: string) => `${MANIFEST}${id}`;

export function writeManifest(shelf: Shelf, manifest: Manifest): Promise<void> {
	return put(shelf, manifestName(manifest.id), JSON.stringify(manifest));
}

/** null when there is none, or none that can be read: a page that died while writing it. */
export async function readManifest(shelf: Shelf, id: string): Promise<Manifest | null> {
	const blob = await shelf.read(manifestName(id));
	if (!blob) return null;
	try {
		const manifest = JSON.parse(await blob.text()) as Manifest;
		return manifest.version === 1 && manifest.id === id && Array.isArray(manifest.files) ? manifest : null;
	} catch {
		return null;
	}
}

/** Ids of all models of which anything is here. */
export async function idsOn(shelf: Shelf): Promise<string[]> {
	const names = await shelf.names();
	const ids = names.map((name) => (name.startsWith(MANIFEST) ? name.slice(MANIFEST.length)
		: name.startsWith(FILE) ? name.slice(FILE.length).replace(/ .*$/, '') : null));
	return [...new Set(ids.filter((id): id is string => id !== null))];
}

/** Everything of a model: its files, whether or not the manifest knows them, and the manifest. */
export async function removeAll(shelf: Shelf, id: string): Promise<void> {
	for (const name of await shelf.names()) if (name.startsWith(`${FILE}${id} `)) await shelf.remove(name);
	await shelf.remove(`${USED}${id}`);
	await shelf.remove(manifestName(id));
}

/** Milliseconds since 1970. */
export function noteUse(shelf: Shelf, id: string, now: number): Promise<void> {
	return put(shelf, `${USED}${id}`, String(now));
}

export async function lastUse(shelf: Shelf, { id, added }: Manifest): Promise<number> {
	// Written anew by another call meanwhile, the file that was found can no longer be read.
	const text = await shelf.read(`${USED}${id}`).then((blob) => blob?.text()).catch(() => undefined);
	const time = Number(text);
	// A page that died in the middle leaves half a number, or two of them.
	return time > 0 && time <= LATEST ? time : added;
}

/** Bytes of a model that are here. */
export async function bytesHere(shelf: Shelf, { id, files }: Manifest): Promise<number> {
	const sizes = await Promise.all(files.map(({ path, size }) => shelf.size(fileName(id, path)).then((have) => Math.min(have, size))));
	return sizes.reduce((sum, size) => sum + size, 0);
}
