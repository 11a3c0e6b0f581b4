/** What wrappers share: starting their scorer. */
import type { Params } from './define.ts';

/** The spec of the inner scorer with the wrapper's budget as its own, so that the two agree. */
export function innerSpec(params: Params): { method: string; params: Params } {
	const scorer = params.scorer as { method: string; params: Params };
	return { method: scorer.method, params: { ...scorer.params, budget: params.budget } };
}
