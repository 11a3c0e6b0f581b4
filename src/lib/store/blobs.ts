/** A model whose files are at hand as blobs: kept ones, or files just dropped. They are read when asked for. */
import { ModelError } from '$lib/model/safetensors.ts';
import type { ModelSource } from '$lib/model/source.ts';

export type ModelFiles = Readonly<Record<string, Blob>>;

/** Bytes read at a time: between pieces a cancel is looked at. */
const PIECE = 16_000_000;

/** `name` is the model's short name; it stands in messages, too. */
export function blobSource(name: string, files: ModelFiles): ModelSource {
	const read = async (file: string, blob: Blob) => blob.arrayBuffer().catch((cause: unknown) => {
		throw new ModelError(`${file} of ${name} can no longer be read: it was deleted or changed since. Fetch or drop the model again.`, { cause });
	});
	return {
		id: name,
		place: name,
		async json(file, signal) {
			const blob = Object.hasOwn(files, file) ? files[file] : null;
			if (!blob) return null;
			const text = new TextDecoder().decode(await read(file, blob));
			signal?.throwIfAborted();
			try {
				return JSON.parse(text) as unknown;
			} catch {
				throw new ModelError(`${file} of ${name} is not valid JSON.`);
			}
		},
		async bytes(file, onBytes, signal) {
			const blob = Object.hasOwn(files, file) ? files[file] : null;
			if (!blob) return null;
			const whole = new Uint8Array(blob.size);
			for (let at = 0; at < blob.size; at += PIECE) {
				signal?.throwIfAborted();
				whole.set(new Uint8Array(await read(file, blob.slice(at, at + PIECE))), at);
				onBytes?.(Math.min(at + PIECE, blob.size), blob.size);
			}
			return whole.buffer;
		}
	};
}
