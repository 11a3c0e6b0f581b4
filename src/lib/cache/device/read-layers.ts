import type { Tensor } from '@tensorflow/tfjs-core';
import { readMany } from '$lib/ops/index.ts';

/** The numbers of tensors that layers hold by name, and of `also`, in one read. All stay alive. */
export async function readLayers<K extends string>(held: Partial<Record<K, Tensor>>[], also: Tensor[] = []): Promise<{ layers: Partial<Record<K, Float32Array>>[]; also: Float32Array[] }> {
	const entries = held.map((layer) => Object.entries(layer) as [K, Tensor][]);
	const numbers = await readMany([...also, ...entries.flat().map(([, tensor]) => tensor)]);
	let next = also.length;
	const layers = entries.map((named) => Object.fromEntries(named.map(([name]) => [name, numbers[next++]])) as Partial<Record<K, Float32Array>>);
	return { layers, also: numbers.slice(0, also.length) };
}
