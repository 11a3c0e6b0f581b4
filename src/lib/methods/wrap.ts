/** What wrappers share: their scorer, what it needs, and shares of a budget. */
import type { Budget } from '$lib/documents/experiment.ts';
import type { Needs, Params, Scores, StartContext } from './define.ts';

/** The spec of the inner scorer with the wrapper's budget as its own, so that the two agree. */
export function innerSpec(params: Params): { method: string; params: Params } {
	const scorer = params.scorer as { method: string; params: Params };
	return { method: scorer.method, params: { ...scorer.params, budget: params.budget } };
}

/** What the scorer needs of the prompt. Inside a wrapper it only scores, so of the steps it needs nothing. */
export function scorerNeeds(params: Params, inner?: (spec: unknown) => Needs): Needs {
	const { stepAttention: _attention, stepQuery: _query, ...ofPrompt } = inner?.(params.scorer) ?? {};
	return Object.fromEntries(Object.entries(ofPrompt).filter(([, wanted]) => wanted));
}

/** What the scorer needs when it is asked about parts of the prompt: every query, if it wants any. */
export function partNeeds(params: Params, inner?: (spec: unknown) => Needs): Needs {
	const needs = scorerNeeds(params, inner);
	return needs.queries || needs.attentionSums ? { ...needs, queries: 'all' } : needs;
}

/** Scores by head in which what the scorer always keeps lies above all others: the layer's largest + 1. */
export function raised({ byHead, always }: Scores): Float64Array[] {
	if (!always) return byHead;
	let most = 0;
	byHead.forEach((row, head) => row.forEach((score, slot) => (most = always[head][slot] ? most : Math.max(most, score))));
	return byHead.map((row, head) => row.map((score, slot) => (always[head][slot] ? most + 1 : score)));
}

/** The part of the prompt that a budget keeps, 0 to 1; a fraction as it stands, never by way of a rounded count. */
export function shareOf(context: StartContext, budget: Budget, overhead?: number, perSlot?: number): number {
	if ('fraction' in budget) return budget.fraction;
	return Math.min(1, context.slots(budget, overhead, perSlot) / context.promptTokens);
}

/**
 * Whole numbers that add up to `total` (at most the sum of the ideals, rounded up one by one): each
 * ideal rounded down, the rest one by one to the largest fractional parts, equal ones to the first.
 */
export function apportion(ideals: readonly number[], total: number): number[] {
	const counts = ideals.map(Math.floor);
	const left = total - counts.reduce((a, b) => a + b, 0);
	const order = ideals.map((_, i) => i).sort((a, b) => ideals[b] - counts[b] - (ideals[a] - counts[a]) || a - b);
	for (const i of order.slice(0, Math.max(0, left))) counts[i]++;
	return counts;
}
