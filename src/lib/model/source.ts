/** Where the files of a model come from: an address, or a folder when running under Node. */
import { ModelError } from './safetensors.ts';

export interface ModelSource {
	/** Last part of the address or path. */
	id: string;
	/** Where it is, for messages. */
	place: string;
	/** A JSON file; null when there is none. */
	json(file: string, signal?: AbortSignal): Promise<unknown>;
	/** A file; null when there is none. `onBytes(loaded, total)`; total is 0 when it is not known. */
	bytes(file: string, onBytes?: (loaded: number, total: number) => void, signal?: AbortSignal): Promise<ArrayBuffer | null>;
}

/** An address (http, https, a path on the site), or under Node a folder. */
export function sourceOf(place: string): ModelSource {
	const inNode = typeof process !== 'undefined' && process.versions?.node !== undefined && typeof window === 'undefined';
	return inNode && !/^[a-z]+:\/\//i.test(place) ? folder(place) : address(place);
}

const lastPart = (place: string) => place.replace(/[\\/]+$/, '').split(/[\\/]/).pop() || place;

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
	let whole = new Uint8Array(total);
	let loaded = 0;
	const reader = response.body.getReader();
	for (let next = await reader.read(); !next.done; next = await reader.read()) {
		const end = loaded + next.value.byteLength;
		if (end > whole.length) {
			const longer = new Uint8Array(Math.max(end, 2 * whole.length));
			longer.set(whole.subarray(0, loaded));
			whole = longer;
		}
		whole.set(next.value, loaded);
		loaded = end;
		onBytes?.(loaded, total);
	}
	return loaded === whole.length ? whole.buffer : whole.buffer.slice(0, loaded);
}

export function folder(place: string): ModelSource {
	const read = async (file: string) => {
		// A variable keeps bundlers for the browser from following the import.
		const fsModule = 'node:fs/promises';
		const fs = (await import(/* @vite-ignore */ fsModule)) as typeof import('node:fs/promises');
		return fs.readFile(`${place}/${file}`).catch((cause: NodeJS.ErrnoException) => {
			if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return null;
			throw new ModelError(`${file} in ${place} cannot be read: ${cause.message}.`);
		});
	};
	return {
		id: lastPart(place),
		place,
		async json(file) {
			const content = await read(file);
			return content ? parse(content.toString('utf8'), file, place) : null;
		},
		async bytes(file, onBytes, signal) {
			const content = await read(file);
			signal?.throwIfAborted();
			if (!content) return null;
			onBytes?.(content.byteLength, content.byteLength);
			return new Uint8Array(content).buffer;
		}
	};
}
