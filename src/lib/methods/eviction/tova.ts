import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { keepTop } from '../decide.ts';
import { defineMethod, type PromptView, type Scores, type StepView } from '../define.ts';
import { windowAttention } from '../observe.ts';
import { BUDGET, isOver, KEPT_BYTES } from '../once.ts';
import { meanOf } from '../select.ts';
import { groupOf, headsOf, realign } from '../slots.ts';

/** Attention of one query head over slots. */
interface Row {
	positions: ArrayLike<number>;
	attention: ArrayLike<number>;
}

/**
 * Mean of the rows of all query heads of the layer, the same for every KV head. `newest` is the
 * position of the query's own token: with `keepNewest` it gets the largest score + 1 and stays.
 */
function scoresOf(layer: LayerCache, rows: readonly Row[], newest: number, keepNewest: boolean): Scores {
	const byHead = headsOf(layer).map((head) => meanOf(rows.map((row) => realign(row.positions, row.attention, layer.positions(head)))));
	const always = headsOf(layer).map((head) => Uint8Array.from(layer.positions(head), (position) => (keepNewest && position >= newest ? 1 : 0)));
	let most = 0;
	byHead.forEach((row, head) => row.forEach((score, slot) => (most = always[head][slot] ? most : Math.max(most, score))));
	return {
		byHead: byHead.map((row, head) => row.map((score, slot) => (always[head][slot] ? most + 1 : score))),
		always,
		meaning: 'attention from the newest token, averaged over all heads of the layer'
	};
}

/** Scores after the prompt: the row of its last token. */
export function byLastToken(layer: LayerCache, seen: PromptView, keepNewest: boolean): Scores {
	const rows = headsOf(layer).flatMap((head) =>
		windowAttention(layer, seen, head, 1).map((attention) => ({ positions: layer.positions(head), attention }))
	);
	return scoresOf(layer, rows, seen.n - 1, keepNewest);
}

/** Scores after a step: the row that the step computed anyway. */
export function byStep(layer: LayerCache, seen: StepView, keepNewest: boolean): Scores {
	const rows = headsOf(layer).flatMap((head) =>
		groupOf(head, seen.model).map((queryHead) => ({ positions: seen.positions(head), attention: seen.attention(queryHead) }))
	);
	return scoresOf(layer, rows, seen.position, keepNewest);
}

export default defineMethod({
	id: 'tova',
	title: 'TOVA',
	subtitle: 'drop what the newest token looks at least',
	family: 'eviction',
	paper: 'Oren et al., Transformers are Multi-State RNNs, EMNLP 2024',
	confidence: 'After the prompt it follows kvpress 0.5.4 and agrees with its numbers. The loop while decoding is from the paper as described on its card.',
	ours: 'kvpress acts after the prompt only; we go on at every step, as the paper does. The newest token always stays, as in kvpress; the paper does not force that, and "keep_newest" switches it off.',
	idea: 'A transformer whose cache is bounded is a recurrent network with several states. The policy is as plain as can be: at each step drop the token that the newest query attends to least, averaged over all heads. No window and no sinks are given; both come about by themselves.',
	acts: 'After the prompt, then one eviction a layer at every decode step; all heads of a layer lose the same token.',
	formula: String.raw`s_j=\frac1{H_q}\sum_{h}\operatorname{softmax}_j\big(q_{h,t}K^\top/\sqrt d\big),\qquad j^*=\arg\min_j s_j`,
	bytes: KEPT_BYTES,
	sources: ['https://arxiv.org/abs/2401.06104', 'https://github.com/schwartz-lab-NLP/TOVA', 'https://github.com/NVIDIA/kvpress'],
	scorer: true,
	params: {
		budget: BUDGET,
		keep_newest: { kind: 'boolean', default: true, about: 'The newest token stays whatever it is given.' },
		decode: { kind: 'boolean', default: true, about: 'Hold the budget while generating, too.' }
	},
	needs: (params) => ({ queries: { last: 1 }, stepAttention: params.decode as boolean }),
	start(context, params) {
		const keepNewest = params.keep_newest as boolean;
		const capacity = context.slots(params.budget as Budget);
		const score = (layer: LayerCache, seen: PromptView) => byLastToken(layer, seen, keepNewest);
		return {
			score,
			prefilled(layer, seen) {
				if (isOver(layer, capacity)) keepTop(layer, score(layer, seen), capacity);
			},
			appended(layer, seen) {
				if (params.decode && isOver(layer, capacity)) keepTop(layer, byStep(layer, seen, keepNewest), capacity);
			}
		};
	}
});
