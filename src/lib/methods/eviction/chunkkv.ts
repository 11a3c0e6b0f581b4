import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { decision, keepTop } from '../decide.ts';
import { defineMethod, type Scores } from '../define.ts';
import { BUDGET, isOver } from '../once.ts';
import { slotsWhere, topSlots } from '../select.ts';
import { headsOf, union } from '../slots.ts';
import { innerSpec, raised, scorerNeeds, shareOf } from '../wrap.ts';

/** Tokens that stay or go together. */
export interface Chunk {
	/** Its place in the text: positions index * length and on. */
	index: number;
	/** Tokens of it that the cache holds in any head. */
	tokens: number;
	/** Mean over those of the scores summed over the heads. */
	score: number;
}

/** The chunks of `length` tokens that are present, in the order of the text. */
export function chunksOf(layer: LayerCache, scores: Scores, length: number): Chunk[] {
	const found = new Map<number, { positions: Set<number>; sum: number }>();
	raised(scores).forEach((row, head) => layer.positions(head).forEach((position, slot) => {
		const index = Math.floor(position / length);
		const chunk = found.get(index) ?? { positions: new Set<number>(), sum: 0 };
		chunk.positions.add(position);
		chunk.sum += row[slot];
		found.set(index, chunk);
	}));
	return [...found].sort(([a], [b]) => a - b).map(([index, { positions, sum }]) => ({ index, tokens: positions.size, score: sum / positions.size }));
}

/** Best chunks first, each taken if it still fits into `capacity` tokens. */
function thatFit(chunks: readonly Chunk[], capacity: number): Chunk[] {
	let left = capacity;
	return [...chunks].sort((a, b) => b.score - a.score || a.index - b.index).filter(({ tokens }) => {
		if (tokens > left) return false;
		left -= tokens;
		return true;
	});
}

export default defineMethod({
	id: 'chunkkv',
	title: 'ChunkKV',
	subtitle: 'whole phrases stay or go',
	family: 'eviction',
	paper: 'Liu et al., ChunkKV: Semantic-Preserving KV Cache Compression for Efficient Long-Context LLM Inference, NeurIPS 2025',
	confidence: 'Follows kvpress 0.5.4 and agrees with its numbers. The paper also lets neighbouring layers share their choice, which neither kvpress nor we do; its details are known to us at third hand.',
	ours: 'Chunks lie in the text, not in what is left of it, so the method can follow another eviction. A budget in tokens or bytes is never exceeded: chunks are taken as long as they fit, and where not one fits the scorer chooses single tokens. A fraction counts chunks, as in kvpress, where a short last chunk costs as much as a long one. The default chunk is 10, as in the paper; kvpress has 20.',
	failures: 'What a fraction keeps differs from it by up to a chunk, since a short last chunk costs as much as a long one; with SnapKV inside, that last chunk always stays.',
	idea: 'A token torn out of its phrase has lost its meaning. Cut the text into chunks of consecutive tokens, score each chunk by the mean of its tokens over all heads, and keep or drop chunks as wholes. All heads of a layer keep the same ones, so what survives can be read.',
	acts: 'After the prompt.',
	formula: String.raw`S_C=\frac1{|C|}\sum_{j\in C}\sum_h s_{hj},\qquad \text{keep the }\max\big(1,\lfloor f\,N_C\rfloor\big)\text{ best of }N_C\text{ chunks}`,
	bytes: '4 d + 2 bytes a kept slot and KV head. All heads of a layer keep the same tokens, but their positions are stored for each.',
	sources: ['https://arxiv.org/abs/2502.00299', 'https://github.com/NVIDIA/kvpress'],
	params: {
		scorer: { kind: 'scorer', default: { method: 'snapkv' }, about: 'The method whose scores are averaged over a chunk.' },
		budget: BUDGET,
		chunk: { kind: 'int', default: 10, min: 1, max: 512, about: 'Tokens a chunk; 1 chooses single tokens, the same in all heads.' }
	},
	needs: scorerNeeds,
	start(context, params) {
		const budget = params.budget as Budget;
		const length = params.chunk as number;
		const capacity = context.slots(budget);
		const share = shareOf(context, budget);
		const inner = context.inner(innerSpec(params));
		const choose = (chunks: Chunk[]): Chunk[] => {
			if (chunks.every(({ tokens }) => tokens < length)) return [];
			if (!('fraction' in budget)) return thatFit(chunks, capacity);
			const best = topSlots(chunks.map(({ score }) => score), Math.max(1, Math.trunc(chunks.length * share)));
			return Array.from(best, (i) => chunks[i]);
		};
		return {
			prefilled(layer, seen) {
				if (!isOver(layer, capacity)) return;
				const scores = inner.score!(layer, seen);
				const chunks = chunksOf(layer, scores, length);
				const stays = new Set(choose(chunks).map(({ index }) => index));
				const holds = headsOf(layer).map((head) => Uint8Array.from(layer.positions(head), (position) => (stays.has(Math.floor(position / length)) ? 1 : 0)));
				// Another eviction may have left a head nothing of the chosen chunks, and a head cannot be empty.
				if (holds.some((mask) => !mask.includes(1))) return keepTop(layer, scores, capacity);
				const scoreOf = new Map(chunks.map(({ index, score }) => [index, score]));
				for (const head of headsOf(layer)) {
					const positions = layer.positions(head);
					const safe = layer.protectedSlots(head);
					const kept = slotsWhere(union(positions.length, holds[head], safe));
					layer.keep(head, kept, {
						decision: decision({
							positions, kept, safe, meaning: `mean over chunks of ${length} tokens, summed over the heads: ${scores.meaning}`,
							scores: Float64Array.from(positions, (position) => scoreOf.get(Math.floor(position / length))!),
							terms: [{ name: 'score of the token alone', values: scores.byHead[head] }]
						})
					});
				}
			}
		};
	}
});
