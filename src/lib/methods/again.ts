/** Reading the prompt a second time, in pieces that fit behind it in the model's context. */
import type { LayerCache } from '$lib/cache/types.ts';
import type { ModelShape } from '$lib/documents/trace.ts';
import type { StartContext } from './define.ts';
import { groupOf, headsOf } from './slots.ts';

/** Tokens that a piece has at least, so that a long prompt is refused rather than read a token at a time. */
const SHORTEST = 32;

/** Where a piece of the prompt begins and ends, and what is read in front of it. */
export interface Piece {
	from: number;
	to: number;
	before: readonly number[];
}

/**
 * The prompt's tokens from `start` on in pieces of `longest` tokens, fewer where the context has no room
 * for more behind prompt and introduction. A prompt that leaves no room for short pieces gets pieces
 * that are too long, and the run is refused with the reason.
 */
export function pieces({ text, model }: StartContext, longest: number, before: (from: number) => readonly number[], start = 0): Piece[] {
	const n = text.ids.length;
	const list: Piece[] = [];
	for (let from = start; from < n; ) {
		const introduction = before(from);
		const room = model.context - n - introduction.length;
		const to = Math.min(n, from + Math.min(longest, Math.max(room, Math.min(n, SHORTEST))));
		list.push({ from, to, before: introduction });
		from = to;
	}
	return list;
}

/**
 * What each slot of a layer was paid, by KV head: a column by position of each query head of the group
 * (times a factor by slot), put together by `group`.
 */
export function paidBySlot(
	layer: LayerCache, model: ModelShape, column: (queryHead: number) => ArrayLike<number>,
	group: (ofHeads: number[]) => number, factor?: (queryHead: number, head: number) => ArrayLike<number>
): Float64Array[] {
	return headsOf(layer).map((head) => {
		const byQuery = groupOf(head, model).map((queryHead) => {
			const paid = column(queryHead);
			const times = factor?.(queryHead, head);
			return Float64Array.from(layer.positions(head), (position, slot) => (paid[position] ?? 0) * (times ? times[slot] : 1));
		});
		return Float64Array.from(layer.positions(head), (_, slot) => group(byQuery.map((row) => row[slot])));
	});
}

export const largest = (numbers: readonly number[]): number => numbers.reduce((a, b) => Math.max(a, b), -Infinity);
