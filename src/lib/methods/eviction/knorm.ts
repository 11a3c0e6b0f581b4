import type { Budget } from '$lib/documents/experiment.ts';
import { keepTop } from '../decide.ts';
import { defineMethod, type Scores } from '../define.ts';
import type { LayerCache } from '$lib/cache/types.ts';
import { rowNorms } from '../select.ts';
import { headsOf } from '../slots.ts';

/** Minus the Euclidean norm of each key. */
export function smallKeys(layer: LayerCache): Scores {
	return {
		byHead: headsOf(layer).map((head) => rowNorms(layer.keys(head), layer.headDim).map((norm) => -norm)),
		meaning: 'minus the length of the key'
	};
}

export default defineMethod({
	id: 'knorm',
	title: 'Knorm',
	subtitle: 'small keys stay',
	family: 'eviction',
	paper: 'Devoto et al., A Simple and Effective L2 Norm-Based Strategy for KV Cache Compression, EMNLP 2024',
	confidence: 'Follows kvpress 0.5.4 and agrees with its numbers. The authors skip the first two layers; kvpress and we do not.',
	failures: 'In the first layer the length of a key depends on the token alone, so equal tokens tie and the choice between them says nothing. Not every head looks more at short keys.',
	idea: 'In trained models a key of small length tends to receive much attention. So keep the shortest keys. Nothing cheaper can be computed, which makes it a useful lower bar for everything else.',
	acts: 'After the prompt.',
	formula: String.raw`s_j=-\lVert k_j\rVert_2`,
	bytes: 'The kept keys and values in fp16, 4 d bytes a slot and KV head, and 2 bytes of position a slot.',
	sources: ['https://arxiv.org/abs/2406.11430', 'https://github.com/alessiodevoto/l2compress', 'https://github.com/NVIDIA/kvpress'],
	scorer: true,
	params: {
		budget: { kind: 'budget', default: { fraction: 0.25 }, about: 'How much of the cache stays.' }
	},
	needs: () => ({}),
	start(context, params) {
		const capacity = context.slots(params.budget as Budget);
		return {
			score: smallKeys,
			prefilled: (layer) => keepTop(layer, smallKeys(layer), capacity)
		};
	}
});
