import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { softmax } from '$lib/numerics/distribution.ts';
import { descendingOrder } from '$lib/numerics/select.ts';
import { defineMethod, type Scores } from '../define.ts';
import { BUDGET, evictOnce, KEPT_BYTES } from '../once.ts';
import { headsOf } from '../slots.ts';

/** Steps by which sinks, then the newest of the tail, stand above each other at the score 1. */
const APART = 1e-9;

export interface LagRule {
	sinks: number;
	lag: number;
	/** Raw scores compete over the whole text, instead of ranks inside each partition. */
	cross: boolean;
	/** A text too short for two partitions keeps sinks and newest tokens, as released. */
	released: boolean;
}

/**
 * For tokens from `from` up to `to` of [n, d]: softmax over them of the standard deviation over
 * channels, after each channel is scaled by its range in the `to - from` tokens that follow.
 * A channel without range counts as 0.
 */
export function spread(block: Float32Array, d: number, from: number, to: number): Float64Array {
	const size = to - from;
	const low = new Float64Array(d).fill(Infinity);
	const high = new Float64Array(d).fill(-Infinity);
	for (let row = to; row < to + size; row++) {
		for (let c = 0; c < d; c++) {
			low[c] = Math.min(low[c], block[row * d + c]);
			high[c] = Math.max(high[c], block[row * d + c]);
		}
	}
	return softmax(Float64Array.from({ length: size }, (_, i) => {
		const y = Float64Array.from({ length: d }, (_, c) => (high[c] > low[c] ? (block[(from + i) * d + c] - low[c]) / (high[c] - low[c]) : 0));
		const mean = y.reduce((sum, value) => sum + value, 0) / d;
		return Math.sqrt(y.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, d - 1));
	}));
}

/** Scores of one head's slots, [n, d] each; `sinks` of them come first. */
export function lagScores(keys: Float32Array, values: Float32Array, d: number, sinks: number, rule: LagRule): Float64Array {
	const n = keys.length / d;
	const scores = Float64Array.from({ length: n }, (_, slot) => 1 + APART * (slot < sinks ? 2 * n : slot));
	const rest = n - sinks;
	if (rest < 2 * rule.lag && rule.released) return scores.map((score, slot) => (slot < sinks ? score : (slot - sinks) / rest));
	const lag = Math.min(rule.lag, Math.floor(rest / 2));
	if (lag < 1) return scores;
	const partitions = Math.floor(rest / lag);
	for (let p = 0; p < partitions - 1; p++) {
		const from = sinks + p * lag;
		const byKey = spread(keys, d, from, from + lag);
		const byValue = spread(values, d, from, from + lag);
		const raw = byKey.map((score, i) => (score + byValue[i]) / 2);
		if (rule.cross) scores.set(raw, from);
		else descendingOrder(raw).forEach((i, place) => (scores[from + i] = (lag - 1 - place) / lag));
	}
	return scores;
}

export default defineMethod({
	id: 'lagkv',
	title: 'LagKV',
	subtitle: 'each block measured by the next one',
	family: 'eviction',
	paper: 'Liang et al., LagKV: Lag-Relative Information of the KV Cache Tells Which Tokens Are Important, 2025',
	confidence: 'Follows kvpress 0.5.4 and agrees with its numbers.',
	ours: 'A text too short for two blocks gets blocks of half its length. The released version says "no compression" there, yet keeps the sinks and the newest tokens without a word; variant "released" does so. Where sinks and tail alone are more than the budget, sinks come first, then the newest. A channel that does not vary in the next block counts for nothing, where released code divides by 0. The default block is 32 tokens, published is 128, since texts here are short.',
	failures: 'A text of less than two blocks and the sinks has nothing to be compared with: variant "released" is StreamingLLM there without saying so. Ranks repeat in every block, so tokens of several blocks tie at the cut.',
	idea: 'Compare each block of tokens with the block that follows it. Scale every channel by its range in the next block; tokens whose channels then vary a lot stand out, the predictable ones go. Every block is thinned alike. No query and no attention is needed.',
	acts: 'After the prompt.',
	formula: String.raw`\sigma_j=\operatorname{std}_c\frac{x_{jc}-\min_{p+1}x_c}{\max_{p+1}x_c-\min_{p+1}x_c},\qquad s_j=\operatorname{rank}_p\Big(\tfrac12\operatorname{softmax}(\sigma^K)_j+\tfrac12\operatorname{softmax}(\sigma^V)_j\Big)`,
	bytes: KEPT_BYTES,
	sources: ['https://arxiv.org/abs/2504.04704', 'https://github.com/NVIDIA/kvpress'],
	scorer: true,
	params: {
		budget: { ...BUDGET, about: 'How much of the cache stays, sinks and last blocks included.' },
		n_sink: { kind: 'int', default: 4, min: 0, max: 64, about: 'First tokens of the text that always stay.' },
		lag: { kind: 'int', default: 32, min: 1, max: 1024, about: 'Tokens a block; the last whole block and what follows it always stay.' },
		cross_scoring: { kind: 'boolean', default: false, about: 'Raw scores compete over the whole text, instead of ranks inside each block.' },
		variant: { kind: 'choice', default: 'ours', options: ['ours', 'released'], about: 'What happens to a short text: shorter blocks, or sinks and newest tokens without a word.' }
	},
	needs: () => ({}),
	start({ slots }, params) {
		const rule: LagRule = {
			sinks: params.n_sink as number, lag: params.lag as number,
			cross: params.cross_scoring as boolean, released: params.variant === 'released'
		};
		const score = (layer: LayerCache): Scores => ({
			byHead: headsOf(layer).map((head) => {
				const sinks = layer.positions(head).filter((position) => position < rule.sinks).length;
				return lagScores(layer.keys(head), layer.values(head), layer.headDim, sinks, rule);
			}),
			meaning: rule.cross ? 'how much the token stands out from the block after it; 1 for sinks and tail' : 'rank in its block by how much it stands out from the next; 1 for sinks and tail'
		});
		return evictOnce(slots(params.budget as Budget), score);
	}
});
