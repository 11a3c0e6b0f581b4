import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { defineMethod, type PromptView } from '../define.ts';
import { BUDGET, evictOnce, KEPT_BYTES } from '../once.ts';
import { EXPECTED_PARAMS, expectedScores, nextAngle, statisticsOf } from './expected-attention-score.ts';

export default defineMethod({
	id: 'expected-attention',
	title: 'Expected Attention',
	subtitle: 'what queries to come would look at on average',
	family: 'eviction',
	paper: 'Devoto et al., Expected Attention: KV Cache Compression by Estimating Attention from Future Queries Distribution, 2025',
	confidence: 'Follows kvpress 0.5.4, which its authors wrote, and agrees with its numbers. What the paper says beyond that code we have not checked.',
	ours: 'Where only the newest queries are at hand, as while generating, kvpress 0.5.4 takes their number for the length of the text: the coming positions are wrong then, the first n_sink of those queries are left out, and fewer than that give no numbers at all. Ours counts positions from the end of the text and leaves out real sinks only; variant "released" does as kvpress, but takes all queries where it would have none.',
	failures: 'Nothing protects the newest tokens. Queries that come later may differ from those of the prompt, above all when a question follows that the text did not prepare.',
	idea: 'Which queries will come is unknown, but those of the prompt show how they are spread. Take them for a Gaussian, turn it to the positions ahead, and the mean attention that each key will get has a closed form. Multiply it by the length of the value and keep the largest.',
	acts: 'After the prompt.',
	formula: String.raw`z_{hj}=\frac{k_j^\top\bar R\mu_h}{\sqrt d}+\frac{k_j^\top\bar R\Sigma_h\bar R^\top k_j}{2d},\qquad s_j=\Big(\frac1G\sum_{h\in g}\operatorname{softmax}_j(z_{hj})+\varepsilon\Big)\lVert v_j\rVert_2`,
	bytes: KEPT_BYTES,
	sources: ['https://arxiv.org/abs/2510.00636', 'https://github.com/NVIDIA/kvpress', 'https://github.com/NVIDIA/kvpress/issues/157'],
	scorer: true,
	params: {
		budget: BUDGET, ...EXPECTED_PARAMS,
		variant: { kind: 'choice', default: 'ours', options: ['ours', 'released'], about: 'Whether the coming positions follow the text or, as released, the number of queries at hand.' }
	},
	needs: () => ({ queriesBefore: true }),
	start(context, params) {
		const sinks = params.n_sink as number;
		const released = params.variant === 'released';
		const score = (layer: LayerCache, seen: PromptView) => {
			const d = layer.headDim;
			const count = seen.queriesBefore(0).length / d;
			// The rows are the newest tokens' queries; those of sinks are unlike all others.
			const skipped = released ? sinks : Math.max(0, sinks - (seen.n - count));
			const statistics = (queryHead: number) => statisticsOf(seen.queriesBefore(queryHead).subarray(skipped < count ? skipped * d : 0), d);
			return expectedScores(layer, seen, statistics, released ? count : nextAngle(layer, seen), params);
		};
		return evictOnce(context.slots(params.budget as Budget), score);
	}
});
