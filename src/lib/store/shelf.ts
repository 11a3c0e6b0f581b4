/**
 * Where bytes are kept, by name. A file grows at its end and what has arrived survives whatever
 * happens later: that is all that a download which can be resumed needs.
 */
export interface Shelf {
	/** `opfs`: the browser's private files. `cache`: Cache storage. `memory`: gone with the page. */
	readonly kind: 'opfs' | 'cache' | 'memory';
	names(): Promise<string[]>;
	/** Bytes that are there; 0 when there is no such file. */
	size(name: string): Promise<number>;
	/** The file, read only when it is asked for its bytes; null when there is none. */
	read(name: string): Promise<Blob | null>;
	/** Opens a file, made if need be, to go on at its end. */
	append(name: string): Promise<Sink>;
	/** Does nothing when there is no such file. */
	remove(name: string): Promise<void>;
}

export interface Sink {
	write(chunk: Uint8Array<ArrayBuffer>): Promise<void>;
	/** Keeps what was written. */
	close(): Promise<void>;
}

/** Writes a small file in one go, in place of the one before. */
export async function put(shelf: Shelf, name: string, text: string): Promise<void> {
	await shelf.remove(name);
	const sink = await shelf.append(name);
	try {
		await sink.write(new TextEncoder().encode(text));
	} finally {
		await sink.close();
	}
}

/** A shelf whose files live in the page's memory; also the fake of the tests. */
export function memoryShelf(): Shelf {
	const files = new Map<string, Uint8Array<ArrayBuffer>[]>();
	return {
		kind: 'memory',
		names: async () => [...files.keys()],
		size: async (name) => (files.get(name) ?? []).reduce((sum, part) => sum + part.length, 0),
		async read(name) {
			const parts = files.get(name);
			return parts ? new Blob(parts) : null;
		},
		async append(name) {
			const parts = files.get(name) ?? [];
			files.set(name, parts);
			return {
				async write(chunk) {
					parts.push(chunk.slice());
				},
				async close() {}
			};
		},
		async remove(name) {
			files.delete(name);
		}
	};
}
