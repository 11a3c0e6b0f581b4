/** Where the files of a model come from: an address, a folder or file when running under Node, or files at hand. */
import { ModelError } from './error.ts';
import { fileOfBlob, fileOfPath, type StoredFile } from './stored-file.ts';

export interface ModelSource {
	/** Last part of the address or path. */
	id: string;
	/** Where it is, for messages. */
	place: string;
	/** Name of the one file that holds the whole model, where it is such a one (GGUF). */
	gguf?: string;
	/** A JSON file; null when there is none. */
	json(file: string, signal?: AbortSignal): Promise<unknown>;
	/** A file; null when there is none. `onBytes(loaded, total)`; total is 0 when it is not known. */
	bytes(file: string, onBytes?: (loaded: number, total: number) => void, signal?: AbortSignal): Promise<ArrayBuffer | null>;
	/** A file that is read piece by piece, so that it is never in memory as a whole; null when there is none. Left out where that cannot be done. */
	open?(file: string): Promise<StoredFile | null>;
}

/** An address (http, https, a path on the site), or under Node a path. A folder, or a .gguf file. */
export function sourceOf(place: string): ModelSource {
	const inNode = typeof process !== 'undefined' && process.versions?.node !== undefined && typeof window === 'undefined';
	const make = inNode && !/^[a-z]+:\/\//i.test(place) ? folder : address;
	const [, above, file] = /^(?:(.*)[\\/])?([^\\/]+\.gguf)(?:\?.*)?$/i.exec(place) ?? [];
	if (!file) return make(place);
	return { ...make(above ?? '.'), id: withoutEnding(file), place, gguf: place.slice((above ?? '').length).replace(/^[\\/]/, '') };
}

const lastPart = (place: string) => place.replace(/[\\/]+$/, '').split(/[\\/]/).pop() || place;
const withoutEnding = (file: string) => file.replace(/\.gguf$/i, '');

function parse(text: string, file: string, place: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		throw new ModelError(`${file} at ${place} is not valid JSON.`);
	}
}

export function address(place: string): ModelSource {
	const base = place.endsWith('/') ? place : `${place}/`;
	const get = async (file: string, signal?: AbortSignal) => {
		const response = await fetch(base + file, { signal }).catch((cause: unknown) => {
			signal?.throwIfAborted();
			throw new ModelError(`${file} could not be fetched from ${place}: ${cause instanceof Error ? cause.message : String(cause)}.`);
		});
		if (response.status === 404) return null;
		if (!response.ok) throw new ModelError(`${file} could not be fetched from ${place}: the server answered ${response.status}.`);
		// Sites that answer every address with a page would otherwise pass for a file.
		if (response.headers.get('content-type')?.startsWith('text/html')) return null;
		return response;
	};
	return {
		id: lastPart(place),
		place,
		async json(file, signal) {
			const response = await get(file, signal);
			return response ? parse(await response.text(), file, place) : null;
		},
		async bytes(file, onBytes, signal) {
			const response = await get(file, signal);
			return response ? collect(response, onBytes) : null;
		}
	};
}

async function collect(response: Response, onBytes?: (loaded: number, total: number) => void): Promise<ArrayBuffer> {
	// With a content coding the length counts other bytes than the ones that arrive.
	const total = response.headers.get('content-encoding') ? 0 : Number(response.headers.get('content-length') ?? 0);
	if (!response.body) return response.arrayBuffer();
	// One array of the announced length, made longer only if more comes.
	let whole = room(total);
	let loaded = 0;
	const reader = response.body.getReader();
	for (let next = await reader.read(); !next.done; next = await reader.read()) {
		const end = loaded + next.value.byteLength;
		if (end > whole.length) {
			const longer = room(Math.max(end, 2 * whole.length));
			longer.set(whole.subarray(0, loaded));
			whole = longer;
		}
		whole.set(next.value, loaded);
		loaded = end;
		onBytes?.(loaded, total);
	}
	return loaded === whole.length ? whole.buffer : whole.buffer.slice(0, loaded);
}

function room(bytes: number): Uint8Array<ArrayBuffer> {
	try {
		return new Uint8Array(bytes);
	} catch (cause) {
		throw new ModelError(`A file of ${bytes} bytes does not fit into memory. Choose a smaller model.`, { cause });
	}
}

export function folder(place: string): ModelSource {
	return { id: lastPart(place), ...pieces(place, (file) => fileOfPath(file, `${place}/${file}`)) };
}

/** Files at hand by their names, dropped on the page or kept by the browser: those of a folder, or one .gguf. */
export function filesSource(name: string, files: Readonly<Record<string, Blob>>): ModelSource {
	const gguf = Object.keys(files).find((file) => /\.gguf$/i.test(file));
	const source = pieces(name, async (file) => (Object.hasOwn(files, file) ? fileOfBlob(file, files[file]) : null));
	return { id: name, ...source, ...(gguf ? { gguf } : {}) };
}

/** A source whose files can be read piece by piece. */
function pieces(place: string, open: (file: string) => Promise<StoredFile | null>): Omit<ModelSource, 'id'> & Required<Pick<ModelSource, 'open'>> {
	return {
		place,
		open,
		async json(file, signal) {
			const found = await open(file);
			if (!found) return null;
			const bytes = await found.bytes(0, found.size);
			signal?.throwIfAborted();
			return parse(new TextDecoder().decode(bytes), file, place);
		},
		async bytes(file, onBytes, signal) {
			const found = await open(file);
			if (!found) return null;
			const bytes = await found.bytes(0, found.size);
			signal?.throwIfAborted();
			onBytes?.(bytes.length, bytes.length);
			return bytes.buffer;
		}
	};
}
