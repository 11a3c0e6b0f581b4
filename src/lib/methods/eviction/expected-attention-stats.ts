import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { defineMethod, type PromptView, type Shipped } from '../define.ts';
import { BUDGET, evictOnce, KEPT_BYTES } from '../once.ts';
import { EXPECTED_PARAMS, expectedScores, nextAngle, type QueryStatistics } from './expected-attention-score.ts';

/** Of one query head of a layer, out of `mean`, [layers, heads, d], and `covariance`, [layers, heads, d, d]. */
export function shippedStatistics({ mean, covariance }: Shipped, layer: number, queryHead: number, heads: number, d: number): QueryStatistics {
	const at = layer * heads + queryHead;
	return {
		mean: Float64Array.from(mean.subarray(at * d, (at + 1) * d)),
		covariance: Float64Array.from(covariance.subarray(at * d * d, (at + 1) * d * d))
	};
}

export default defineMethod({
	id: 'expected-attention-stats',
	title: 'Expected Attention, calibrated',
	subtitle: 'queries to come as they are in other texts',
	family: 'eviction',
	paper: 'Devoto et al., Expected Attention: KV Cache Compression by Estimating Attention from Future Queries Distribution, 2025',
	confidence: 'With given statistics it follows kvpress 0.5.4, which its authors wrote, and agrees with its numbers. What the paper says beyond that code we have not checked. From what statistics were computed is said in the file that is shipped beside the model.',
	failures: 'Nothing protects the newest tokens. A text unlike those of the calibration has other queries.',
	idea: 'Expected Attention with one difference: mean and spread of the queries are not taken from the prompt but were measured once on other texts. So a key and its value are all that is needed to score a token.',
	acts: 'After the prompt.',
	formula: String.raw`z_{hj}=\frac{k_j^\top\bar R\mu_h}{\sqrt d}+\frac{k_j^\top\bar R\Sigma_h\bar R^\top k_j}{2d},\qquad s_j=\Big(\frac1G\sum_{h\in g}\operatorname{softmax}_j(z_{hj})+\varepsilon\Big)\lVert v_j\rVert_2,\qquad \mu_h,\Sigma_h\text{ calibrated}`,
	bytes: `${KEPT_BYTES} The statistics, d² + d numbers a query head, belong to the model.`,
	sources: ['https://arxiv.org/abs/2510.00636', 'https://github.com/NVIDIA/kvpress'],
	scorer: true,
	params: { budget: BUDGET, ...EXPECTED_PARAMS },
	needs: () => ({}),
	start(context, params) {
		const statistics = context.shipped('query-statistics');
		const { heads, headDim: d } = context.model;
		const score = (layer: LayerCache, seen: PromptView) =>
			expectedScores(layer, seen, (queryHead) => shippedStatistics(statistics(), layer.layer, queryHead, heads, d), nextAngle(layer, seen), params);
		return evictOnce(context.slots(params.budget as Budget), score);
	}
});
