/** Texts that methods have the model read beside the prompt: over a cache, which stays as it is, or by themselves. */
import type { ArmCache } from '$lib/cache/arm-cache.ts';
import { PrefillMemory } from '$lib/cache/device/index.ts';
import { ReadingMemory, type LayerReading } from '$lib/cache/device/reading.ts';
import type { Decoder } from '$lib/model/index.ts';
import type { MadeReadings, Reading, ReadingView } from './requests.ts';

/**
 * Makes the readings `wanted` (by key) over `cache`. `future` are the tokens that stand for 'future'.
 * Throws RangeError when a text does not fit the model's context behind the cache.
 */
export async function makeReadings(decoder: Decoder, cache: ArmCache, wanted: ReadonlyMap<string, Reading>, future: readonly number[] = [], signal?: AbortSignal): Promise<MadeReadings> {
	const made = cache.layers.map(() => new Map<string, ReadingView>());
	for (const [key, reading] of wanted) {
		signal?.throwIfAborted();
		const ids = Int32Array.from(reading.ids === 'future' ? future : reading.ids);
		// Nothing may follow, and then nothing pays attention.
		const layers = ids.length === 0 ? cache.layers.map((): LayerReading => ({})) : await readText(decoder, cache, ids, reading);
		layers.forEach((numbers, layer) => made[layer].set(key, viewOf(cache, layer, ids.length, reading, numbers)));
	}
	return made;
}

async function readText(decoder: Decoder, cache: ArmCache, ids: Int32Array, { over, columns, pairs }: Reading): Promise<LayerReading[]> {
	const memory = over === 'nothing' ? new PrefillMemory(decoder.shape, ids.length) : new ReadingMemory(cache, ids.length, columns, pairs);
	try {
		const { logits } = await decoder.forward(ids, memory.pass(), memory);
		logits.dispose();
		const read = await memory.finish();
		return Array.isArray(read) ? read : read.layers;
	} catch (error) {
		memory.dispose();
		throw error;
	}
}

function viewOf(cache: ArmCache, layer: number, n: number, { columns }: Reading, numbers: LayerReading): ReadingView {
	const { heads, kvHeads } = cache.shape;
	const blocks = n === 0 ? 0 : Math.ceil(n / (columns?.block ?? n));
	const span = cache.tokens;
	const positions = Array.from({ length: kvHeads }, (_, head) => cache.layers[layer].positions(head));
	const longest = (numbers.columns?.length ?? 0) / (blocks * heads);
	const pair = (all: Float32Array | undefined, head: number) => {
		if (!all) throw new RangeError('keys and values of this reading were not asked for, so they were not kept');
		return all.subarray((head * all.length) / kvHeads, ((head + 1) * all.length) / kvHeads);
	};
	return {
		n, blocks,
		columns(queryHead, block = 0) {
			if (!columns) throw new RangeError('the columns of this reading were not asked for, so they were not drawn');
			const out = new Float64Array(span);
			const from = (block * heads + queryHead) * longest;
			if (numbers.columns) positions[Math.floor((queryHead * kvHeads) / heads)].forEach((position, slot) => (out[position] = numbers.columns![from + slot]));
			return out;
		},
		keys: (head) => pair(numbers.keys, head),
		values: (head) => pair(numbers.values, head)
	};
}
