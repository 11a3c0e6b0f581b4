/** A budget as a number of slots a head. */
import { positionBytes } from '$lib/cache/layout.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import type { ModelShape } from '$lib/documents/trace.ts';

/** Bytes of one exact key and value: two halves a channel. */
export const bytesOfPair = (headDim: number): number => headDim * 2 * 2;

/** Bytes of the numbers of one head that holds so many slots: keys and values, and what decoding them needs. */
export type BytesOfHead = (slots: number) => number;

export interface BudgetTerms {
	/** Bytes that the method itself holds a head, and a slot. */
	overhead?: number;
	perSlot?: number;
	/** What the methods after this one in the stack make of a head; without it slots stay exact. */
	stored?: BytesOfHead | null;
	/** Heads will hold different numbers of slots, `slots` on average. */
	ragged?: boolean;
}

/** Says that a budget cannot hold even one token. */
export class BudgetError extends RangeError {
	override name = 'BudgetError';
}

/**
 * Slots a head.
 * - fraction f of n prompt tokens: max(1, floor(n f)) in doubles; 1 means no limit (Infinity);
 * - tokens: as it stands;
 * - bytes of the arm's whole cache, every layer and KV head: keys and values in halves or as later methods store
 *   them, the position of each slot (2 bytes), `perSlot` bytes of the method a slot and `overhead` bytes of the
 *   method a head. Where the whole prompt fits, it stays whole. Otherwise the most slots that do not exceed the bytes.
 * Throws BudgetError if the bytes do not hold one slot a head.
 */
export function slotsOf(budget: Budget, promptTokens: number, model: ModelShape, { overhead = 0, perSlot = 0, stored, ragged = false }: BudgetTerms = {}): number {
	if ('fraction' in budget) {
		return budget.fraction >= 1 ? Infinity : Math.max(1, Math.floor(promptTokens * budget.fraction));
	}
	if ('tokens' in budget) return budget.tokens;
	const heads = model.layers * model.kvHeads;
	const share = budget.bytes / heads;
	const exact = (slots: number) => slots * bytesOfPair(model.headDim);
	// A prompt that stays whole needs no positions, and no state of what was evicted.
	const wholePrompt = (stored ?? exact)(promptTokens) + promptTokens * perSlot <= share;
	const most = Math.max(model.context, promptTokens);
	const numbers = stored && ragged ? linearBound(stored, most) : (stored ?? exact);
	const cost = (slots: number) => overhead + numbers(slots) + slots * (positionBytes(model.context) + perSlot);
	// Bytes need not grow with every slot: a tail of exact slots may end in a block. So the most that fit, from above.
	let slots = stored ? most : Math.floor((share - overhead) / (cost(1) - overhead));
	while (slots > 0 && cost(slots) > share) slots--;
	if (wholePrompt) return Math.max(promptTokens, slots);
	if (slots < 1) throw new BudgetError(`at least ${Math.ceil(heads * cost(1))} bytes, which one token a head costs, got ${budget.bytes}`);
	return slots;
}

/** The least straight line, with the average slope, that no number of slots up to `most` lies above: then heads of any lengths together stay below it. */
function linearBound(stored: BytesOfHead, most: number): BytesOfHead {
	const slope = (stored(most) - stored(0)) / most;
	let start = 0;
	for (let slots = 0; slots <= most; slots++) start = Math.max(start, stored(slots) - slope * slots);
	return (slots) => start + slope * slots;
}
