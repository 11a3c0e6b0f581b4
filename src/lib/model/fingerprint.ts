/** Tells models apart that have the same name or shape. */
import { fnv1a } from '$lib/numerics/random.ts';
import type { Decoder } from './types.ts';

/** Rows of the embedding that are looked at, spread evenly. */
const ROWS = 64;

/**
 * Eight hexadecimal digits from the model's shape and rows of its embedding, which are kept as stored: the
 * same on every backend and whatever format the products are rounded to.
 */
export function modelFingerprint(decoder: Pick<Decoder, 'shape' | 'embedding'>): string {
	const { layers, heads, kvHeads, headDim, hidden, vocab, ropeTheta } = decoder.shape;
	const parts = [layers, heads, kvHeads, headDim, hidden, vocab, ropeTheta].join(' ');
	const rows = Array.from({ length: Math.min(ROWS, vocab) }, (_, i) => decoder.embedding(Math.floor((i * vocab) / Math.min(ROWS, vocab))));
	const bits = rows.map((row) => fnv1a(new Uint32Array(row.slice().buffer).join(' ')));
	return fnv1a(`${parts} ${bits.join(' ')}`).toString(16).padStart(8, '0');
}
