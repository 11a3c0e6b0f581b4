import type { LayerCache } from '$lib/cache/types.ts';
import { decision } from '../decide.ts';
import { defineMethod } from '../define.ts';
import { slotsWhere, topSlots } from '../select.ts';
import { headsOf } from '../slots.ts';

/** Python's round: a half goes to the even number. */
const roundHalfEven = (x: number): number => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

/** 1 for each of the round(ratio x heads) lowest scores, the earlier first among equals. `scores`: one a head of all layers. */
export function streamingHeads(scores: ArrayLike<number>, ratio: number): Uint8Array {
	const streams = new Uint8Array(scores.length);
	for (const head of topSlots(Float64Array.from(scores, (score) => -score), roundHalfEven(scores.length * ratio))) streams[head] = 1;
	return streams;
}

export default defineMethod({
	id: 'duo-attention',
	title: 'DuoAttention',
	subtitle: 'retrieval heads keep all, streaming heads both ends',
	family: 'budget-allocation',
	paper: 'Xiao et al., DuoAttention: Efficient Long-Context LLM Inference with Retrieval and Streaming Heads, ICLR 2025',
	confidence: 'With given scores of heads it follows kvpress 0.5.4 and agrees with its numbers. How the scores of a model were found is said in the file that is shipped beside it.',
	ours: 'The paper trains a gate for each head. Our scores are measured in its place: the share of attention that a head pays outside both ends while an answer is due. The score of kvpress, computed from mean queries and keys, can be chosen; on nano it ranks heads that rest on the first token above those that retrieve. Streaming heads are really short and stay so while generating; kvpress masks after the prompt. Sinks and window are 4 and 32 tokens here, 128 and 256 in kvpress when it finds the heads by itself.',
	idea: 'Only some heads look far back to fetch something; the others live on the first tokens and the newest. Each head of a model has a score that says how far back it looks, found once. Heads with the lowest scores get a small cache of constant size, the others the whole text.',
	acts: 'After the prompt, then one token a streaming head at every decode step.',
	formula: String.raw`\text{head streams}\iff\alpha_{\ell h}\text{ among the }\operatorname{round}(\rho LH)\text{ lowest},\qquad \text{keep}=\{j<s\}\cup\{j\ge t-r\}`,
	bytes: 'Retrieval heads 4 d bytes a token; streaming heads 4 d + 2 bytes for each of s + r slots; 4 (H + 1) bytes of offsets a layer whose heads differ. The scores belong to the model.',
	sources: ['https://arxiv.org/abs/2410.10819', 'https://github.com/mit-han-lab/duo-attention', 'https://github.com/NVIDIA/kvpress'],
	params: {
		head_ratio: { kind: 'number', default: 0.5, min: 0, max: 1, step: 0.05, about: 'Share of all heads of the model that stream.' },
		scores: { kind: 'choice', default: 'retrieval', options: ['retrieval', 'area'], about: 'Which of the scores shipped with the model: attention outside both ends while an answer is due, or the area of kvpress.' },
		sink: { kind: 'int', default: 4, min: 0, max: 4096, about: 'First tokens that a streaming head keeps.' },
		recent: { kind: 'int', default: 32, min: 1, max: 4096, about: 'Newest tokens that a streaming head keeps.' }
	},
	size: { params: ['head_ratio'], falls: true },
	needs: () => ({}),
	start(context, params) {
		const ratio = params.head_ratio as number;
		const sink = params.sink as number;
		const recent = params.recent as number;
		if (ratio === 0) return {};
		const patterns = context.shipped('head-patterns');
		const scores = () => patterns()[params.scores as string];
		let streams: Uint8Array | null = null;
		const trim = (layer: LayerCache, newest: number) => {
			streams ??= streamingHeads(scores(), ratio);
			for (const head of headsOf(layer)) {
				if (!streams[layer.layer * layer.kvHeads + head]) continue;
				const positions = layer.positions(head);
				const stays = Uint8Array.from(positions, (position) => (position < sink || position > newest - recent ? 1 : 0));
				const kept = slotsWhere(stays);
				// An eviction before this one may have left nothing of either end.
				if (kept.length === 0 || kept.length === positions.length) continue;
				const score = scores()[layer.layer * layer.kvHeads + head];
				layer.keep(head, kept, {
					decision: decision({
						positions, kept, scores: Float64Array.from(stays), safe: layer.protectedSlots(head),
						meaning: `1 for a sink or a recent token: the head streams, its score ${score.toFixed(3)} is among the lowest`
					})
				});
				layer.mark(head, slotsWhere(Uint8Array.from(layer.positions(head), (position) => (position < sink ? 1 : 0))), 'sink');
			}
		};
		return {
			prefilled: (layer, seen) => trim(layer, seen.n - 1),
			appended: (layer, seen) => trim(layer, seen.position)
		};
	}
});
