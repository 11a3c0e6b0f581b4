/** What wrappers share: their scorer, and what it needs. */
import type { Needs, Params } from './define.ts';

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
