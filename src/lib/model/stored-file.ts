/** A file that is read piece by piece, wherever it lies. */
import { ModelError } from './error.ts';

export interface StoredFile {
	/** For messages. */
	name: string;
	size: number;
	/** Bytes from..to. Throws ModelError, before anything is allocated, when the file has no such bytes. */
	bytes(from: number, to: number): Promise<Uint8Array<ArrayBuffer>>;
}

function check(name: string, size: number, from: number, to: number): void {
	// Written so that NaN fails, too.
	if (Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= 0 && from <= to && to <= size) return;
	throw new ModelError(`${name} is damaged or cut off: bytes ${from} to ${to} are asked for, the file has ${size}. Download it again.`);
}

/** Bytes in memory; what is read are views of them. */
export function fileOfBytes(name: string, bytes: ArrayBuffer | Uint8Array<ArrayBuffer>): StoredFile {
	const all = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
	return {
		name,
		size: all.length,
		async bytes(from, to) {
			check(name, all.length, from, to);
			return all.subarray(from, to);
		}
	};
}

/** A dropped file, or one kept by the browser. */
export function fileOfBlob(name: string, blob: Blob): StoredFile {
	return {
		name,
		size: blob.size,
		async bytes(from, to) {
			check(name, blob.size, from, to);
			const buffer = await blob.slice(from, to).arrayBuffer().catch((cause: unknown) => {
				throw new ModelError(`${name} can no longer be read: ${cause instanceof Error ? cause.message : String(cause)}. Choose it again.`, { cause });
			});
			return new Uint8Array(buffer);
		}
	};
}

/** A file on disk under Node; null when there is none. Opened for each read, so nothing has to be closed. */
export async function fileOfPath(name: string, path: string): Promise<StoredFile | null> {
	// A variable keeps bundlers for the browser from following the import.
	const fsModule = 'node:fs/promises';
	const fs = (await import(/* @vite-ignore */ fsModule)) as typeof import('node:fs/promises');
	const cannot = (cause: Error): never => {
		throw new ModelError(`${path} cannot be read: ${cause.message}.`, { cause });
	};
	const found = await fs.stat(path).catch((cause: NodeJS.ErrnoException) => (cause.code === 'ENOENT' || cause.code === 'ENOTDIR' ? null : cannot(cause)));
	if (!found?.isFile()) return null;
	return {
		name,
		size: found.size,
		async bytes(from, to) {
			check(name, found.size, from, to);
			const handle = await fs.open(path).catch(cannot);
			try {
				const out = new Uint8Array(to - from);
				// One read may bring less than was asked for.
				for (let have = 0; have < out.length;) {
					const { bytesRead } = await handle.read(out, have, out.length - have, from + have).catch(cannot);
					if (bytesRead === 0) check(name, from + have, from, to);
					have += bytesRead;
				}
				return out;
			} finally {
				await handle.close();
			}
		}
	};
}
