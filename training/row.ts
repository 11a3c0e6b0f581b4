import { makeDocument, KINDS, type DocumentKind } from '$lib/lab/tasks/documents.ts';
import type { Random } from '$lib/numerics/random.ts';
import type { Piece } from '$lib/lab/tasks/pieces.ts';
import type { Tokens } from './tokens.ts';

/** `recall=45,copy=12` as kinds and the shares that they have of the rows. */
export function parseMix(text: string): [DocumentKind, number][] {
	return text.split(',').map((part) => {
		const [kind, share] = part.split('=');
		if (!(KINDS as readonly string[]).includes(kind) || !(Number(share) >= 0)) {
			throw new RangeError(`the mixture has ${part}; write kind=share, the kinds are ${KINDS.join(', ')}`);
		}
		return [kind as DocumentKind, Number(share)];
	});
}
export function pickKind(rng: Random, mix: [DocumentKind, number][]): DocumentKind {
	let at = rng.uniform() * mix.reduce((sum, [, share]) => sum + share, 0);
	for (const [kind, share] of mix) if ((at -= share) < 0) return kind;
	return mix[0][0];
}

/**
 * A row's bytes: length + 1 tokens (uint16), as many places (uint16) that hold the token which this one
 * repeats or is decided by, 0 for none, and as many loss weights in units of 1/32.
 */
export function makeRow(tokens: Tokens, rng: Random, kind: DocumentKind, length: number): Uint8Array {
	const n = length + 1;
	const bytes = new Uint8Array(n * 5);
	const ids = new Uint16Array(bytes.buffer, 0, n);
	const sources = new Uint16Array(bytes.buffer, n * 2, n);
	const weights = bytes.subarray(n * 4);
	const starts = new Map<Piece, number>();
	// One document a row and one <|bos|> in front of it: the model may use it as its attention sink.
	ids[0] = tokens.bos;
	let at = 1;
	const pieces = makeDocument(kind, rng, length, (text) => tokens.encode(text).length, tokens.size);
	for (const piece of pieces) {
		const weight = Math.max(1, Math.round(piece.weight * 32));
		starts.set(piece, at);
		const source = piece.from && starts.get(piece.from);
		if (piece.cue && at < n) sources[at] = starts.get(piece.cue) ?? 0;
		for (const [i, id] of (piece.ids ?? tokens.encode(piece.text)).entries()) {
			if (at >= n) return bytes;
			if (source && ids[source + i] === id) sources[at] = source + i;
			ids[at] = id;
			weights[at++] = weight;
		}
	}
	return bytes;
}
