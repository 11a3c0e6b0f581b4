/** Training documents: the world of the tasks, packed as densely as a short training allows. */
import type { Random } from '$lib/numerics/random.ts';
import { arithmeticDocument, chainDocument, copyDocument, echoDocument, idsDocument } from './documents/drills.ts';
import { recallDocument } from './documents/recall.ts';
import { openingsDocument, storyDocument } from './documents/stories.ts';
import { Writer, type CountTokens, type Piece } from './pieces.ts';

export const KINDS = ['recall', 'same', 'copy', 'ids', 'echo', 'arith', 'chain', 'story', 'openings'] as const;
export type DocumentKind = (typeof KINDS)[number];

/**
 * One document that fills `room` tokens: the last piece may stick out and is to be cut. A piece with
 * `ids` holds token numbers below `vocabulary` instead of text.
 */
export function makeDocument(kind: DocumentKind, rng: Random, room: number, count: CountTokens, vocabulary = 4096): Piece[] {
	const out = new Writer(room, count);
	if (kind === 'recall') recallDocument(rng, out);
	else if (kind === 'same') recallDocument(rng, out, true);
	else if (kind === 'copy') copyDocument(rng, out);
	else if (kind === 'ids') idsDocument(rng, out, vocabulary);
	else if (kind === 'echo') echoDocument(rng, out, vocabulary);
	else if (kind === 'arith') arithmeticDocument(rng, out);
	else if (kind === 'chain') chainDocument(rng, out);
	else if (kind === 'openings') openingsDocument(rng, out);
	else storyDocument(rng, out);
	return out.pieces;
}
