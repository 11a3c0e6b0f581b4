/** Checks against Hugging Face, the same for every backend. For tests. */
import { read } from '$lib/ops/index.ts';
import { PlainMemory } from './plain-memory.ts';
import type { Decoder } from './types.ts';

/** Little-endian float32 from base64. */
export function floats(base64: string): Float32Array {
	return new Float32Array(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)).buffer);
}

/** Largest difference over largest number of `expected`. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
	if (actual.length !== expected.length) throw new RangeError(`${actual.length} numbers against ${expected.length}`);
	let difference = 0;
	let largest = 0;
	for (let i = 0; i < expected.length; i++) {
		const d = Math.abs(actual[i] - expected[i]);
		// A NaN must not pass as "not larger".
		difference = Number.isNaN(d) ? Infinity : Math.max(difference, d);
		largest = Math.max(largest, Math.abs(expected[i]));
	}
	return difference / largest;
}

/** Logits of every position, [ids.length, vocab], all tokens in one pass. */
export async function prefillLogits(decoder: Decoder, ids: ArrayLike<number>): Promise<Float32Array> {
	const memory = new PlainMemory(decoder.shape, 1, ids.length);
	const { logits } = await decoder.forward(Int32Array.from(ids), { batch: 1, tokens: ids.length, start: Int32Array.of(0) }, memory, { allLogits: true });
	const numbers = (await read(logits)) as Float32Array;
	logits.dispose();
	memory.dispose();
	return numbers;
}

/** The same, one token a pass, in a cache with room to spare. */
export async function decodeLogits(decoder: Decoder, ids: ArrayLike<number>, batch = 1): Promise<Float32Array[]> {
	const memory = new PlainMemory(decoder.shape, batch, ids.length + 5);
	const { vocab } = decoder.shape;
	const rows = Array.from({ length: batch }, () => new Float32Array(ids.length * vocab));
	for (let i = 0; i < ids.length; i++) {
		const pass = { batch, tokens: 1, start: new Int32Array(batch).fill(i) };
		const { logits } = await decoder.forward(new Int32Array(batch).fill(ids[i]), pass, memory);
		const numbers = (await read(logits)) as Float32Array;
		rows.forEach((row, b) => row.set(numbers.subarray(b * vocab, (b + 1) * vocab), i * vocab));
		logits.dispose();
	}
	memory.dispose();
	return rows;
}
