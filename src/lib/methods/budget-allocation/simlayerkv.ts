import type { LayerCache } from '$lib/cache/types.ts';
import { decision } from '../decide.ts';
import { defineMethod, type PromptView } from '../define.ts';
import { windowRows } from '../observe.ts';
import { slotsWhere } from '../select.ts';
import { headsOf } from '../slots.ts';

/** Sizes that the decision is about, in tokens. */
export interface Ends {
	initial: number;
	recent: number;
	last: number;
}

/**
 * Share of the attention of the prompt's last `last` tokens, mean over all query heads and rows,
 * that falls on the first `initial` tokens and on the `recent` ones before those last.
 */
export function laziness(layer: LayerCache, seen: PromptView, { initial, recent, last }: Ends): number {
	let sum = 0;
	let rows = 0;
	const end = seen.n - last;
	for (const head of headsOf(layer)) {
		const positions = layer.positions(head);
		for (const row of windowRows(layer, seen, head, last).flat()) {
			rows++;
			row.forEach((p, slot) => {
				const position = positions[slot];
				if (position < end && position < initial) sum += p;
				if (position < end && position >= end - recent) sum += p;
			});
		}
	}
	return sum / rows;
}

export default defineMethod({
	id: 'simlayerkv',
	title: 'SimLayerKV',
	subtitle: 'lazy layers keep only both ends',
	family: 'budget-allocation',
	paper: 'Zhang et al., SimLayerKV: A Simple Framework for Layer-Level KV Cache Reduction, 2024',
	confidence: 'Follows kvpress 0.5.4 and agrees with its numbers.',
	ours: 'The recent part is 64 tokens, as texts are short here; published are 1024. The bar is 0.9, which is recommended for Llama 3; kvpress has 1, which trims nothing.',
	failures: 'One query decides, so a layer may be lazy for one last word and not for the next.',
	idea: 'Some layers look only at the first tokens and the newest ones. Ask the last token of the prompt: if nearly all of its attention in a layer falls on the two ends, the layer is lazy and keeps only those; the others keep everything. One query decides, so the verdict can flicker with the last word.',
	acts: 'After the prompt, layer by layer.',
	formula: String.raw`\text{lazy}\iff\frac1{H_q}\sum_h\Big(\sum_{j<i}a_{hj}+\sum_{j\ge n'-r}a_{hj}\Big)>\tau,\qquad n'=n-w`,
	bytes: '4 d bytes a slot and KV head; a lazy layer holds i + r - w slots a head and 2 bytes of position each, the others all n.',
	sources: ['https://arxiv.org/abs/2410.13846', 'https://github.com/sail-sg/SimLayerKV', 'https://github.com/NVIDIA/kvpress'],
	params: {
		threshold: { kind: 'number', default: 0.9, min: 0, max: 1, step: 0.01, about: 'The bar: a layer with a larger share of attention on its ends is lazy. 1 trims nothing.' },
		n_initial: { kind: 'int', default: 4, min: 0, max: 64, about: 'First tokens that a lazy layer keeps.' },
		n_recent: { kind: 'int', default: 64, min: 1, max: 4096, about: 'Newest tokens that count; a lazy layer keeps this many less n_last.' },
		n_last: { kind: 'int', default: 1, min: 1, max: 64, about: 'Last tokens that are asked; their own slots count for neither end.' }
	},
	check: ({ n_recent, n_last }) => ((n_recent as number) > (n_last as number) ? null : { param: 'n_recent', expected: `more than n_last, ${n_last as number}` }),
	size: { params: ['threshold'] },
	needs: (params) => ({ queries: { last: params.n_last as number } }),
	start(_context, params) {
		const ends: Ends = { initial: params.n_initial as number, recent: params.n_recent as number, last: params.n_last as number };
		return {
			prefilled(layer, seen) {
				if (seen.n <= ends.initial + ends.recent + ends.last) return;
				const share = laziness(layer, seen, ends);
				if (!(share > (params.threshold as number))) return;
				const from = seen.n - (ends.recent - ends.last);
				for (const head of headsOf(layer)) {
					const positions = layer.positions(head);
					const stays = Uint8Array.from(positions, (position) => (position < ends.initial || position >= from ? 1 : 0));
					const kept = slotsWhere(stays);
					// An eviction before this one may have left nothing of either end.
					if (kept.length === 0 || kept.length === positions.length) continue;
					layer.keep(head, kept, {
						decision: decision({
							positions, kept, scores: Float64Array.from(stays), safe: layer.protectedSlots(head),
							meaning: `1 at the ends: the layer is lazy, ${share.toFixed(3)} of its attention falls on them, above ${params.threshold}`
						})
					});
				}
			}
		};
	}
});
