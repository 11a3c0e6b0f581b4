import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { keepTop } from '../decide.ts';
import { defineMethod } from '../define.ts';
import { isOver } from '../once.ts';
import { memoryBytes, Recent, stepNeeds } from '../recent.ts';
import { innerSpec, shareOf } from '../wrap.ts';

/** What a layer remembers between two choices. */
interface Memory {
	recent: Recent;
	/** Steps since the last choice. */
	steps: number;
}

export default defineMethod({
	id: 'decoding-press',
	title: 'Compression while writing',
	subtitle: 'every N new tokens any scorer shrinks the cache again',
	family: 'eviction',
	paper: 'Decoding section of Expected Attention (2025); DecodingPress of kvpress',
	confidence: 'The rule is that of kvpress 0.5.4. Its numbers are not in the fixture, which holds no decode steps; it is checked against a plain simulation.',
	ours: 'Slots are kept in the order of the text; in kvpress they lose it, and scorers that go by order break. The memory of queries begins with the end of the prompt and is never empty. Attention sums run on over the steps. Interval and memory are shorter here: 16 and 32 tokens in place of 512 and 256.',
	failures: 'Only the newest queries are remembered, so a scorer that would ask more of them, or all of the prompt, judges by less than it wants.',
	idea: 'A model that thinks aloud writes more than it reads, so compressing the prompt is not enough. Every N new tokens let any scorer look at the whole cache again and shrink it to the budget. The size of the cache over time is a sawtooth.',
	acts: 'Every N decode steps; with "prefill" after the prompt, too.',
	formula: String.raw`|M|>T\ \text{at every }N\text{th step}:\quad M\leftarrow\operatorname{top}_T\{s_j(M)\},\qquad T=\text{budget, or }\max\big(1,\lfloor f\,t\rfloor\big)`,
	bytes: '4 d + 2 bytes a slot and KV head, T to T + N slots. For a scorer that asks for queries, also those of the remembered tokens; for one that asks for attention sums, 4 bytes a slot and query head.',
	sources: ['https://arxiv.org/abs/2510.00636', 'https://github.com/NVIDIA/kvpress/pull/139'],
	params: {
		scorer: { kind: 'scorer', default: { method: 'snapkv' }, about: 'The method that scores the cache each time.' },
		budget: { kind: 'budget', default: { fraction: 0.25 }, about: 'How much stays after each choice: T slots a head.' },
		interval: { kind: 'int', default: 16, min: 1, max: 4096, about: 'Decode steps from one choice to the next.' },
		target: { kind: 'choice', default: 'fixed', options: ['fixed', 'share'], about: 'T is fixed, or the same share of all tokens so far.' },
		prefill: { kind: 'boolean', default: false, about: 'Choose after the prompt, too.' },
		buffer: { kind: 'int', default: 32, min: 1, max: 4096, about: 'Newest tokens whose queries are remembered for a scorer that asks for queries.' }
	},
	needs: (params, inner) => stepNeeds(params, inner, params.buffer as number),
	start(context, params) {
		const { headDim, heads, kvHeads } = context.model;
		const budget = params.budget as Budget;
		const rows = params.buffer as number;
		const wanted = context.needsOf(params.scorer);
		const memory = memoryBytes(wanted, rows, heads / kvHeads, headDim);
		const capacity = context.slots(budget, memory.overhead, memory.perSlot);
		const share = shareOf(context, budget, memory.overhead, memory.perSlot);
		const inner = context.inner(innerSpec(params));
		const byLayer = new Map<number, Memory>();
		const shrink = (layer: LayerCache, recent: Recent, tokens: number) => {
			const target = params.target === 'share' ? Math.max(1, Math.trunc(tokens * share)) : capacity;
			if (isOver(layer, target)) keepTop(layer, inner.score!(layer, recent.view(layer)), target);
		};
		return {
			prefilled(layer, seen) {
				if (!Number.isFinite(capacity)) return;
				const recent = new Recent(seen, wanted, rows);
				byLayer.set(layer.layer, { recent, steps: 0 });
				if (params.prefill) shrink(layer, recent, seen.n);
				layer.holdState('queries and sums for the scorer', recent.parts(layer));
			},
			appended(layer, seen) {
				const held = byLayer.get(layer.layer);
				if (!held) return;
				held.recent.step(seen);
				held.steps++;
				if (held.steps >= (params.interval as number)) {
					shrink(layer, held.recent, seen.position + 1);
					held.steps = 0;
				}
				layer.holdState('queries and sums for the scorer', held.recent.parts(layer));
			}
		};
	}
});
