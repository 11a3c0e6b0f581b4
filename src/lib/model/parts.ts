/** Weights in several files, as one source. */
import { ModelError } from './error.ts';
import type { Watch } from './open.ts';
import type { TensorSource } from './stored.ts';

/** Which part each tensor is in. */
export const INDEX = 'model.safetensors.index.json';

/** The files that the index names, each with its tensors. */
export function partsOf(json: unknown): { files: Map<string, string[]>; total: number } {
	const index = objectOr(json, INDEX);
	const map = objectOr(index.weight_map ?? null, `weight_map of ${INDEX}`);
	const files = new Map<string, string[]>();
	for (const [tensor, file] of Object.entries(map)) {
		// The files lie beside the index, nowhere else.
		if (typeof file !== 'string' || !/^[\w-][\w.-]*\.safetensors$/.test(file)) {
			throw new ModelError(`${INDEX} is damaged: ${tensor} is said to be in ${JSON.stringify(file)?.slice(0, 80)}, which is no name of a safetensors file.`);
		}
		const tensors = files.get(file);
		if (tensors) tensors.push(tensor);
		else files.set(file, [tensor]);
	}
	const total = (index.metadata as { total_size?: unknown } | undefined)?.total_size;
	return { files, total: typeof total === 'number' ? total : 0 };
}

/** Those tensors of a part that the index says are in it. */
export function only(part: TensorSource, names: string[], file: string): TensorSource {
	const missing = names.find((name) => !part.describe(name));
	if (missing !== undefined) throw new ModelError(`${file} has no tensor ${missing}, although ${INDEX} says so. They belong to different models.`);
	return { ...part, names: () => names };
}

/** Several sources as one; no tensor is in two. */
export function together(parts: TensorSource[]): TensorSource {
	const owner = new Map(parts.flatMap((part) => part.names().map((name) => [name, part] as const)));
	return {
		names: () => [...owner.keys()],
		describe: (name) => owner.get(name)?.describe(name),
		async tensor(name) {
			const part = owner.get(name);
			if (!part) throw new ModelError(`The weights have no tensor ${name}.`);
			return part.tensor(name);
		}
	};
}

/** The same, counting the bytes that have been read. */
export function counted(parts: TensorSource[], total: number, { onBytes, signal }: Watch): TensorSource {
	const all = together(parts);
	let loaded = 0;
	return {
		...all,
		async tensor(name) {
			signal?.throwIfAborted();
			const tensor = await all.tensor(name);
			onBytes?.((loaded = Math.min(total, loaded + tensor.bytes.length)), total);
			return tensor;
		}
	};
}

/** Throws ModelError when a file's JSON is no object. */
export function objectOr(json: unknown, file: string): Record<string, unknown> {
	if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Record<string, unknown>;
	throw new ModelError(`${file} does not hold a JSON object.`);
}
