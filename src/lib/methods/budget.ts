/** A budget as a number of slots a head. */
import { positionBytes } from '$lib/cache/layout.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import type { ModelShape } from '$lib/documents/trace.ts';

/** Bytes of one exact key and value: two halves a channel. */
export const bytesOfPair = (headDim: number): number => headDim * 2 * 2;

/** Says that a budget cannot hold even one token. */
export class BudgetError extends RangeError {
	override name = 'BudgetError';
}

/**
 * Slots a head.
 * - fraction f of n prompt tokens: max(1, floor(n f)) in doubles; 1 means no limit (Infinity);
 * - tokens: as it stands;
 * - bytes of the arm's whole cache, every layer and KV head: exact pairs in halves, the position
 *   of each slot (2 bytes), `perSlot` bytes of the method a slot and `overhead` bytes of the method a head.
 *   Where the whole prompt fits, it stays whole.
 * Throws BudgetError if the bytes do not hold one slot a head.
 */
export function slotsOf(budget: Budget, promptTokens: number, model: ModelShape, overhead = 0, perSlot = 0): number {
	if ('fraction' in budget) {
		return budget.fraction >= 1 ? Infinity : Math.max(1, Math.floor(promptTokens * budget.fraction));
	}
	if ('tokens' in budget) return budget.tokens;
	const heads = model.layers * model.kvHeads;
	// A prompt that stays whole needs no positions, and no state of what was evicted.
	const wholePrompt = promptTokens * (bytesOfPair(model.headDim) + perSlot) <= budget.bytes / heads;
	const slot = bytesOfPair(model.headDim) + positionBytes(model.context) + perSlot;
	const slots = Math.floor((budget.bytes / heads - overhead) / slot);
	if (wholePrompt) return Math.max(promptTokens, slots);
	if (slots < 1) {
		const least = Math.ceil(heads * (overhead + slot));
		throw new BudgetError(`at least ${least} bytes, which one token a head costs, got ${budget.bytes}`);
	}
	return slots;
}
