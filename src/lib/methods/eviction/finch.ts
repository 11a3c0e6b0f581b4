import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { decision, keepTop, safeSlots, termsOf } from '../decide.ts';
import { defineMethod, type PromptView, type Scores } from '../define.ts';
import { windowRows } from '../observe.ts';
import { BUDGET, isOver, KEPT_BYTES } from '../once.ts';
import { meanOf, slotsWhere, topSlots } from '../select.ts';
import { headsOf } from '../slots.ts';
import { raised } from '../wrap.ts';
import { countsOf, slotsBetween } from './chunk-press.ts';

/**
 * Attention of the question, the last `window` prompt tokens: mean over its tokens and the query heads of the group.
 * Each token's row is multiplied by `scale` of its position and the number of slots that it sees. The question's own
 * slots get the layer's largest score + 1 and always stay.
 */
export function askedFor(layer: LayerCache, seen: PromptView, window: number, scale: (position: number, visible: number) => number): Scores {
	const always = headsOf(layer).map((head) => Uint8Array.from(layer.positions(head), (position) => (position >= seen.n - window ? 1 : 0)));
	const byHead = headsOf(layer).map((head) => {
		const positions = layer.positions(head);
		return meanOf(windowRows(layer, seen, head, window).map((rows) => meanOf(rows.map((row, i) => {
			const position = seen.n - rows.length + i;
			const times = scale(position, positions.reduce((count, p) => count + (p <= position ? 1 : 0), 0));
			return row.map((share) => share * times);
		}))));
	});
	return { byHead: raised({ byHead, always, meaning: '' }), always, terms: [{ name: 'attention from the question', byHead }], meaning: 'attention from the question' };
}

/** Each of `groups` of a head's slots keeps its `counts` best. */
function keepInGroups(layer: LayerCache, scores: Scores, head: number, groups: readonly number[][], counts: readonly number[]): void {
	const safe = safeSlots(layer, scores, head);
	const guarded = layer.protectedSlots(head);
	const kept = groups.flatMap((slots, i) => {
		const pinned = slots.filter((slot) => guarded[slot]).length;
		const best = topSlots(slots.map((slot) => scores.byHead[head][slot]), Math.max(counts[i], pinned), slots.map((slot) => safe[slot] + guarded[slot]));
		return Array.from(best, (j) => slots[j]);
	});
	layer.keep(head, kept, {
		decision: decision({ positions: layer.positions(head), scores: scores.byHead[head], safe, kept, terms: termsOf(scores, head), meaning: `${scores.meaning}, compared within its piece of the text` })
	});
}

export default defineMethod({
	id: 'finch',
	title: 'FINCH',
	subtitle: 'the question at the end judges the text before it',
	family: 'eviction',
	paper: 'Corallo and Papotti, FINCH: Prompt-guided Key-Value Cache Compression for Large Language Models, TACL 2024',
	confidence: 'Variant "released" follows kvpress 0.5.4 and agrees with its numbers. The paper itself we know from descriptions: it reads the text piece by piece, each with the question behind it, over what it has kept so far; kvpress and we read all of it at once.',
	ours: 'The question is a number of tokens at the end; kvpress finds it behind a delimiter, which it removes. Rows are multiplied by the number of keys that they see, where kvpress 0.5.4 takes one less. In pieces, kvpress lets a short last piece drop some of the question, whose tokens tie, and refuses pieces too short to hold it. Ours keeps all of the question and shares out what is left to the pieces of the text before it. Variant "released" does as kvpress. A budget smaller than the question keeps its newest tokens.',
	failures: 'It keeps what this question asks for: a second question finds little. Neighbours are not smoothed, so of a word or code of several tokens some may go. Where the prompt does not end with a question, whatever stands there is the judge.',
	idea: 'Put the question behind the document and let it judge: what its tokens look at stays, the rest goes. The question stays whole. Then number the survivors anew and turn their keys, so that the model reads a short text without gaps and writes on right behind it.',
	acts: 'After the prompt.',
	formula: String.raw`s_j=\frac1G\sum_{h\in g}\frac1w\sum_{i=n-w}^{n-1}(i+1)\,\operatorname{softmax}\big(q_{h,i}K^\top/\sqrt d\big)_j,\qquad k'_j=R\big((j-p_j)\theta\big)k_j`,
	bytes: KEPT_BYTES,
	sources: ['https://direct.mit.edu/tacl/article/doi/10.1162/tacl_a_00716/125280', 'https://arxiv.org/abs/2408.00167', 'https://github.com/NVIDIA/kvpress'],
	scorer: true,
	params: {
		budget: { ...BUDGET, about: 'How much of the cache stays, the question included.' },
		window: { kind: 'int', default: 16, min: 1, max: 512, about: 'Tokens of the question, counted from the end of the prompt; they always stay.' },
		normalise: { kind: 'boolean', default: true, about: 'Whether each row of attention is multiplied by how many keys it is spread over.' },
		chunk: { kind: 'int', default: 0, min: 0, max: 65536, about: 'Tokens a piece of the text, each keeping the same share; 0 is one choice over all of it.' },
		rerotate: { kind: 'boolean', default: true, about: 'Number the kept tokens anew and turn their keys to match.' },
		variant: { kind: 'choice', default: 'ours', options: ['ours', 'released'], about: 'Whether rows count all keys they see and the question stays whole in pieces, or as in kvpress 0.5.4.' }
	},
	needs: (params) => ({ queries: { last: params.window as number } }),
	rerotates: (params) => params.rerotate as boolean,
	start(context, params) {
		const [window, chunk] = [params.window as number, params.chunk as number];
		const budget = params.budget as Budget;
		const capacity = context.slots(budget);
		const released = params.variant === 'released';
		const scale = (position: number, visible: number) => (!params.normalise ? 1 : released ? position : visible);
		const score = (layer: LayerCache, seen: PromptView) => askedFor(layer, seen, window, scale);
		const keepInPieces = (layer: LayerCache, seen: PromptView, head: number, scores: Scores) => {
			const positions = layer.positions(head);
			const end = released ? seen.n : Math.max(0, seen.n - window);
			const pieces = Array.from({ length: Math.ceil(end / chunk) }, (_, i) => slotsBetween(positions, i * chunk, Math.min(end, (i + 1) * chunk)));
			const question = slotsBetween(positions, end, seen.n);
			const room = capacity - question.length;
			const counts = countsOf(pieces.map((slots) => slots.length), released ? budget : { tokens: room }, room);
			keepInGroups(layer, scores, head, [...pieces, question], [...counts, Math.min(capacity, question.length)]);
		};
		return {
			score,
			// The question comes last.
			blockEnded() {},
			prefilled(layer, seen) {
				if (!isOver(layer, capacity)) return;
				const scores = score(layer, seen);
				if (!chunk) keepTop(layer, scores, capacity);
				for (const head of headsOf(layer)) {
					if (chunk && layer.length(head) > capacity) keepInPieces(layer, seen, head, scores);
					layer.mark(head, slotsWhere(Uint8Array.from(layer.positions(head), (position) => (position >= seen.n - window ? 1 : 0))), 'window');
					if (params.rerotate) layer.rerotate(head);
				}
			}
		};
	}
});
