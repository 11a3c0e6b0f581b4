import type { Budget } from '$lib/documents/experiment.ts';
import { keepTop } from '../decide.ts';
import { defineMethod } from '../define.ts';
import { headsOf } from '../slots.ts';
import { innerSpec, scorerNeeds } from '../wrap.ts';

export default defineMethod({
	id: 'key-rerotation',
	title: 'Key re-rotation',
	subtitle: 'evict, then close the gaps in position',
	family: 'eviction',
	paper: 'Used by StreamingLLM, FINCH and others; no paper of its own',
	confidence: 'Follows kvpress 0.5.4 and agrees with its numbers.',
	failures: 'No gain in quality was found by the maintainers of kvpress on their sample. Heads keep different tokens, so the same new position is another token in each of them.',
	idea: 'Rotary embedding writes a position into a key as an angle, so a cached key can be moved to another position by turning it by the difference. After an eviction the survivors are numbered anew from 0, and the model reads them as one unbroken text.',
	acts: 'After the prompt.',
	formula: String.raw`k'_j=R\big((j-p_j)\,\theta\big)\,k_j,\qquad p_0<p_1<\dots<p_{m-1}`,
	bytes: 'As the scorer: 4 d + 2 bytes a slot and KV head.',
	sources: ['https://arxiv.org/abs/2309.17453', 'https://github.com/NVIDIA/kvpress'],
	params: {
		scorer: { kind: 'scorer', default: { method: 'streaming-llm' }, about: 'The method that chooses what stays.' },
		budget: { kind: 'budget', default: { fraction: 0.25 }, about: 'How much of the cache stays.' }
	},
	needs: scorerNeeds,
	rerotates: () => true,
	start(context, params) {
		const capacity = context.slots(params.budget as Budget);
		const inner = context.inner(innerSpec(params));
		return {
			prefilled(layer, seen) {
				if (!headsOf(layer).some((head) => layer.length(head) > capacity)) return;
				keepTop(layer, inner.score!(layer, seen), capacity);
				for (const head of headsOf(layer)) layer.rerotate(head);
			}
		};
	}
});
