/** Reading the prompt: once for everybody, or in blocks by each arm over its own compressed cache. */
import { ArmCache } from '$lib/cache/arm-cache.ts';
import { Captured, DeviceMemory, PrefillMemory, type CaptureNeeds, type LayerCapture, type Seen } from '$lib/cache/device/index.ts';
import type { Needs } from '$lib/methods/define.ts';
import type { MadeReadings } from '$lib/methods/requests.ts';
import type { Decoder, Pass } from '$lib/model/index.ts';
import type { Rotation } from '$lib/numerics/rope.ts';
import { read as readBack } from '$lib/ops/index.ts';
import type { Arm } from './arm.ts';

/** Reads `ids` into nothing and gives back what was captured. */
export async function readAtOnce(decoder: Decoder, ids: Int32Array, needs: Needs): Promise<Captured> {
	const memory = new PrefillMemory(decoder.shape, ids.length, captureOf(needs));
	try {
		const { logits } = await decoder.forward(ids, memory.pass(), memory);
		try {
			return await memory.finish(needs.nextLogits ? logits : undefined);
		} finally {
			logits.dispose();
		}
	} catch (error) {
		memory.dispose();
		throw error;
	}
}

/** What has to be captured: queries before rotation are the rotated ones turned back, of all tokens. */
function captureOf({ queries, attentionSums, keysBefore, queriesBefore }: Needs): CaptureNeeds {
	return { queries: queriesBefore ? 'all' : queries, attentionSums, keysBefore };
}

/** The full cache of what was captured. */
export function cacheOf(captured: Captured, rope: Rotation): ArmCache {
	const { shape, n, layers } = captured;
	return ArmCache.fromPrompt({ shape, n, rope, keys: (layer) => layers[layer].keys, values: (layer) => layers[layer].values });
}

export interface BlockRead {
	cache: ArmCache;
	/** The arm's own keys and values of the prompt, before any method acted. */
	captured: Captured;
}

/** How the prompt is cut, and what makes an arm's second readings over what it has kept so far. */
export interface Blocks {
	/** Tokens a block. */
	block: number;
	read(arm: Arm, cache: ArmCache, last: boolean): Promise<MadeReadings>;
}

/**
 * Reads the prompt in blocks: each arm's next block reads what the arm kept of the blocks before.
 * All arms advance together, as the rows of a batch.
 */
export async function readInBlocks(decoder: Decoder, ids: Int32Array, { block, read }: Blocks, arms: Arm[], asked: Needs, rope: Rotation, signal?: AbortSignal): Promise<BlockRead[]> {
	const needs = captureOf(asked);
	const n = ids.length;
	const first = await readAtOnce(decoder, ids.slice(0, Math.min(block, n)), asked);
	const whole = cacheOf(first, rope);
	const reads = arms.map(() => ({ cache: whole.fork(), captured: first }));
	const act = async (end: number) => {
		for (const [i, { cache, captured }] of reads.entries()) {
			const readings = await read(arms[i], cache, end === n);
			if (end < n) arms[i].blockEnded(cache, captured, readings);
			else arms[i].prefilled(cache, captured, readings);
		}
	};
	await act(first.n);
	if (first.n === n) return reads;
	const memory = new DeviceMemory(reads.map(({ cache }) => cache), n);
	try {
		for (let from = first.n; from < n; from += block) {
			signal?.throwIfAborted();
			const part = ids.slice(from, Math.min(n, from + block));
			const batch = new Int32Array(part.length * arms.length);
			for (let row = 0; row < arms.length; row++) batch.set(part, row * part.length);
			const pass = memory.begin('append', needs, part.length);
			const { logits } = await decoder.forward(batch, pass, memory);
			const said = asked.nextLogits ? ((await readBack(logits)) as Float32Array) : undefined;
			logits.dispose();
			const seen = await memory.finish();
			reads.forEach((read, row) => (read.captured = extend(read.captured, read.cache, seen, row, pass, needs, said?.slice((row * said.length) / arms.length, ((row + 1) * said.length) / arms.length))));
			await act(from + part.length);
		}
	} finally {
		memory.dispose();
	}
	return reads;
}

/** What an arm has captured so far, with one more block. */
function extend(before: Captured, cache: ArmCache, seen: Seen, row: number, { tokens, start }: Pass, needs: CaptureNeeds, logits?: Float32Array): Captured {
	const { shape } = before;
	const { heads, kvHeads, headDim: d } = shape;
	const n = before.n + tokens;
	const layers = before.layers.map((old, layer): LayerCapture => {
		const keys = new Float32Array(kvHeads * n * d);
		const values = new Float32Array(kvHeads * n * d);
		const keysBefore = needs.keysBefore ? new Float32Array(kvHeads * n * d) : undefined;
		cache.layers[layer].heads.forEach((store, head) => {
			const at = head * n * d;
			keys.set(before.keys(layer, head), at);
			values.set(before.values(layer, head), at);
			keysBefore?.set(before.keysBefore(layer, head), at);
			for (let t = 0; t < tokens; t++) {
				// The block's slots are the newest, and still exact.
				const slot = store.length - tokens + t;
				keys.set(store.numbers(slot, 'K'), at + (before.n + t) * d);
				values.set(store.numbers(slot, 'V'), at + (before.n + t) * d);
			}
			keysBefore?.set(seen.keysBefore(row, layer, head), at + before.n * d);
		});
		const out: LayerCapture = { keys, values, ...(keysBefore ? { keysBefore } : {}) };
		if (needs.queries) out.queries = joinQueries(heads, d, (head) => old.queries!.subarray(head * (old.queries!.length / heads), (head + 1) * (old.queries!.length / heads)), (head) => seen.queries(row, layer, head), needs.queries);
		if (needs.attentionSums) {
			out.attentionSums = new Float32Array(heads * n);
			for (let head = 0; head < heads; head++) {
				out.attentionSums.set(before.attentionSums(layer, head), head * n);
				const store = cache.layers[layer].heads[Math.floor((head * kvHeads) / heads)];
				const sums = seen.attentionSums(row, layer, head);
				store.slots.copy('position').forEach((position, slot) => (out.attentionSums![head * n + position] += sums[slot]));
			}
		}
		return out;
	});
	const angles = Int32Array.from({ length: n }, (_, i) => (i < before.n ? before.angles[i] : start[row] + i - before.n));
	return new Captured(shape, n, layers, angles, logits);
}

/** Old and new queries of every head, cut to the last w. */
function joinQueries(heads: number, d: number, old: (head: number) => Float32Array, fresh: (head: number) => Float32Array, wanted: { last: number } | 'all'): Float32Array {
	const rows = (old(0).length + fresh(0).length) / d;
	const kept = wanted === 'all' ? rows : Math.min(wanted.last, rows);
	const out = new Float32Array(heads * kept * d);
	for (let head = 0; head < heads; head++) {
		const both = new Float32Array(rows * d);
		both.set(old(head));
		both.set(fresh(head), old(head).length);
		out.set(both.subarray((rows - kept) * d), head * kept * d);
	}
	return out;
}
