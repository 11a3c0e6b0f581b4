import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { defineMethod, type PromptView, type Scores } from '../define.ts';
import { BUDGET, evictOnce, KEPT_BYTES } from '../once.ts';
import { promptSums } from './h2o.ts';

/** Mean attention that each slot got from the prompt's queries that could see it. */
export const received = (layer: LayerCache, seen: PromptView): Scores => ({
	byHead: promptSums(layer, seen, true),
	meaning: 'mean attention received from the tokens that could see it'
});

export default defineMethod({
	id: 'observed-attention',
	title: 'Observed attention',
	subtitle: 'mean attention received in the prompt',
	family: 'eviction',
	paper: 'ObservedAttentionPress of kvpress; related to H2O, 2023',
	confidence: 'Follows kvpress 0.5.4 and agrees with its numbers.',
	failures: 'The last tokens have been seen by few queries, and mostly by themselves, so they score high by that alone. Nothing is protected, and the attention of the whole prompt has to be summed up.',
	idea: 'Reading the prompt already computed who looks at whom. Average the attention that each key received over the queries that could see it. Dividing by their number takes the head start from old tokens, but the last tokens have been judged by few queries, themselves among them, and so score high.',
	acts: 'After the prompt.',
	formula: String.raw`s_j=\frac1G\sum_{h\in g}\frac1{n-j}\sum_{i\ge j}A_{h,ij}`,
	bytes: KEPT_BYTES,
	sources: ['https://arxiv.org/abs/2306.14048', 'https://github.com/NVIDIA/kvpress'],
	scorer: true,
	params: { budget: BUDGET },
	needs: () => ({ attentionSums: true }),
	start: ({ slots }, params) => evictOnce(slots(params.budget as Budget), received)
});
