import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { chooseTop, decision } from '../decide.ts';
import { defineMethod, type PromptView, type Scores } from '../define.ts';
import { BUDGET, isOver, KEPT_BYTES } from '../once.ts';
import { partOf, seenOf } from '../part.ts';
import { headsOf, range } from '../slots.ts';
import { innerSpec, partNeeds } from '../wrap.ts';

/** A choice made round by round. All by head; scores are those of the round in which a slot competed last. */
export interface Rounds {
	kept: Int32Array[];
	scores: Float64Array[];
	safe: Uint8Array[];
	meaning: string;
}

/**
 * The first `capacity` slots of each head, then round by round the next `block` of them beside
 * what was kept, and the best `capacity` of both stay.
 */
export function inBlocks(
	layer: LayerCache,
	seen: PromptView,
	capacity: number,
	block: number,
	score: (layer: LayerCache, seen: PromptView) => Scores
): Rounds {
	const heads = headsOf(layer);
	const lengths = heads.map((head) => layer.length(head));
	const scores = lengths.map((length) => new Float64Array(length));
	const safe = lengths.map((length) => new Uint8Array(length));
	let kept = lengths.map((length) => range(0, Math.min(capacity, length)));
	let meaning = '';
	for (let from = capacity; from < Math.max(...lengths); from += block) {
		const slots = heads.map((head) => Int32Array.from([...kept[head], ...range(from, Math.min(from + block, lengths[head]))]));
		const part = partOf(layer, slots);
		const end = 1 + Math.max(...heads.map((head) => part.positions(head).at(-1)!));
		const found = score(part, seenOf(seen, part, 0, end));
		meaning = found.meaning;
		kept = heads.map((head) => {
			const chosen = chooseTop(part, found, head, capacity);
			slots[head].forEach((slot, i) => {
				scores[head][slot] = found.byHead[head][i];
				safe[head][slot] = chosen.safe[i];
			});
			return Int32Array.from(chosen.kept, (i) => slots[head][i]);
		});
	}
	return { kept, scores, safe, meaning };
}

export default defineMethod({
	id: 'block-press',
	title: 'Block by block',
	subtitle: 'a small memory reads a long text',
	family: 'eviction',
	paper: 'Park et al., KeyDiff, 2025; BlockPress of kvpress',
	confidence: 'Follows kvpress 0.5.4 and agrees with its numbers.',
	ours: 'Where the prompt is read at once, the rounds are played afterwards on its keys and values, as in kvpress: the choice is that of a small memory, what the tokens saw is not. A prompt that is read in blocks is compressed after each block for true. kvpress mixes hidden states of different tokens for scorers that use them; here each query stays whole.',
	idea: 'A device with little memory has to choose while it reads: hold m tokens, read a block, keep the best m of both, go on. A token that was dropped early cannot come back, though at the end it might have won.',
	acts: 'After the prompt, round by round; after each block of a prompt that is read in blocks.',
	formula: String.raw`M_0=\{0,\dots,m-1\},\qquad M_{t+1}=\operatorname{top}_m\big\{s_j(M_t\cup B_t)\big\}_{j\in M_t\cup B_t}`,
	bytes: `${KEPT_BYTES} While a prompt is truly read in blocks, one block more.`,
	sources: ['https://arxiv.org/abs/2504.15364', 'https://github.com/NVIDIA/kvpress'],
	params: {
		scorer: { kind: 'scorer', default: { method: 'keydiff' }, about: 'The method that scores what is in memory at each round.' },
		budget: BUDGET,
		block: { kind: 'int', default: 32, min: 1, max: 4096, about: 'Tokens read at a time; as many as the prompt has is the scorer alone. kvpress has 128.' }
	},
	needs: partNeeds,
	start(context, params) {
		const capacity = context.slots(params.budget as Budget);
		const inner = context.inner(innerSpec(params));
		const act = (layer: LayerCache, seen: PromptView) => {
			if (!isOver(layer, capacity)) return;
			const { kept, scores, safe, meaning } = inBlocks(layer, seen, capacity, params.block as number, inner.score!);
			for (const head of headsOf(layer)) {
				if (kept[head].length === layer.length(head)) continue;
				layer.keep(head, kept[head], {
					decision: decision({
						positions: layer.positions(head), scores: scores[head], safe: safe[head], kept: kept[head],
						meaning: `in the last round that the token took part in: ${meaning}`
					})
				});
			}
		};
		return { prefilled: act, blockEnded: act };
	}
});
