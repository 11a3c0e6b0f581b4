import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { decision, safeSlots, termsOf } from '../decide.ts';
import { defineMethod, type Scores } from '../define.ts';
import { slotsWhere, topSlots } from '../select.ts';
import { headsOf, union } from '../slots.ts';
import { innerSpec, scorerNeeds } from '../wrap.ts';

/** Offsets that say where each head of a layer begins: 4 bytes, heads + 1 of them. */
const OFFSET_BYTES = 4;

/**
 * The layer's best slots over all heads, `capacity` a head on average, after each head's best
 * floor(capacity x alpha), at least one, are safe. Gives the slots that stay and the safe ones, by head.
 */
export function allocate(
	layer: LayerCache,
	scores: Scores,
	capacity: number,
	alpha: number
): { kept: Int32Array[]; safe: Uint8Array[] } {
	const heads = headsOf(layer);
	const lengths = heads.map((head) => layer.length(head));
	// A head without any slot could not be read.
	const guaranteed = Math.max(1, Math.trunc(capacity * alpha));
	const own = heads.map((head) => safeSlots(layer, scores, head));
	const floor = heads.map((head) => {
		const sure = new Uint8Array(lengths[head]);
		for (const slot of topSlots(scores.byHead[head], guaranteed, own[head])) sure[slot] = 1;
		return sure;
	});
	const total = lengths.reduce((sum, length) => sum + Math.min(capacity, length), 0);
	// What always stays beats every score; where even that is too much, the newest of all heads do.
	const most = scores.byHead.reduce((max, row) => row.reduce((a, b) => Math.max(a, b), max), -Infinity);
	const flat = Float64Array.from(heads.flatMap((head) =>
		Array.from(scores.byHead[head], (score, slot) => (own[head][slot] ? most + 1 + slot / lengths[head] : score))
	));
	const stays = Uint8Array.from(heads.flatMap((head) => Array.from(floor[head])));
	const left = total - stays.reduce((sum, flag) => sum + flag, 0);
	const rest = slotsWhere(stays.map((flag) => 1 - flag));
	for (const i of topSlots(Float64Array.from(rest, (cell) => flat[cell]), left)) stays[rest[i]] = 1;
	const safe = heads.map((head) => union(lengths[head], own[head], floor[head]));
	let start = 0;
	const kept = lengths.map((length) => slotsWhere(stays.subarray(start, (start += length))));
	return { kept, safe };
}

export default defineMethod({
	id: 'adakv',
	title: 'Ada-KV',
	subtitle: 'budgets shared out among the heads of a layer',
	family: 'budget-allocation',
	paper: 'Feng et al., Ada-KV: Optimizing KV Cache Eviction by Adaptive Budget Allocation, 2024',
	confidence: 'Follows kvpress 0.5.4 and agrees with its numbers. The original code blends head budgets in another way.',
	ours: 'Evicted slots are really gone and heads differ in length; kvpress keeps them all and masks them at every read. A head keeps one slot at least.',
	idea: 'Heads differ: one reads five tokens, another five hundred. Instead of the same number of tokens in every head, keep the best entries of the whole layer, after a small share that every head is sure of. Any method that scores tokens can be inside.',
	acts: 'After the prompt.',
	formula: String.raw`\text{evict the }H(n-m)\text{ smallest of }\{s_{hj}\},\quad \text{top }\lfloor\alpha m\rfloor\text{ of each head safe}`,
	bytes: 'As many slots as with equal heads, 4 d + 2 bytes each, and 4 (H + 1) bytes of offsets a layer.',
	sources: ['https://arxiv.org/abs/2407.11550', 'https://github.com/FFY0/AdaKV', 'https://github.com/NVIDIA/kvpress'],
	params: {
		scorer: { kind: 'scorer', default: { method: 'snapkv' }, about: 'The method whose scores are compared across heads.' },
		budget: { kind: 'budget', default: { fraction: 0.25 }, about: 'How much of the cache stays, on average over the heads.' },
		alpha: { kind: 'number', default: 0.2, min: 0, max: 1, step: 0.05, about: 'Share of the budget that every head is sure of; 1 makes all heads equal.' }
	},
	needs: scorerNeeds,
	start(context, params) {
		const heads = context.model.kvHeads;
		const capacity = context.slots(params.budget as Budget, (OFFSET_BYTES * (heads + 1)) / heads, 0, true);
		const inner = context.inner(innerSpec(params));
		return {
			prefilled(layer, seen) {
				if (!headsOf(layer).some((head) => layer.length(head) > capacity)) return;
				const scores = inner.score!(layer, seen);
				const { kept, safe } = allocate(layer, scores, capacity, params.alpha as number);
				for (const head of headsOf(layer)) {
					if (kept[head].length === layer.length(head)) continue;
					layer.keep(head, kept[head], {
						decision: decision({
							positions: layer.positions(head),
							scores: scores.byHead[head],
							meaning: `${scores.meaning}; one cut for all heads of the layer`,
							safe: safe[head],
							terms: termsOf(scores, head),
							kept: kept[head]
						})
					});
				}
			}
		};
	}
});
