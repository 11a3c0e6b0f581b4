import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { defineMethod, type PromptView, type Scores } from '../define.ts';
import { BUDGET, evictOnce, KEPT_BYTES } from '../once.ts';
import { headsOf } from '../slots.ts';
import { shareOf } from '../wrap.ts';
import { leverageOf, sketches } from './leverage-score.ts';
import { chunkAttention } from './non-causal-attention.ts';

/**
 * lambda x leverage + attention, given for all slots of each head but the `first` and the `last` ones.
 * Those get the largest of these scores and always stay.
 */
export function blend(layer: LayerCache, leverage: Float64Array[], attention: Float64Array[], first: number, lambda: number): Scores {
	const whole = (rows: Float64Array[]) => headsOf(layer).map((head) => {
		const out = new Float64Array(layer.length(head));
		out.set(rows[head], Math.min(first, out.length - rows[head].length));
		return out;
	});
	const sum = leverage.map((row, head) => row.map((value, i) => lambda * value + attention[head][i]));
	const most = sum.reduce((max, row) => row.reduce((a, b) => Math.max(a, b), max), -Infinity);
	const always = headsOf(layer).map((head) =>
		Uint8Array.from({ length: layer.length(head) }, (_, slot) => (slot < first || slot >= first + sum[head].length ? 1 : 0))
	);
	return {
		byHead: whole(sum).map((row, head) => row.map((value, slot) => (always[head][slot] ? Math.max(most, -Number.MAX_SAFE_INTEGER) : value))),
		always,
		terms: [{ name: 'leverage', byHead: whole(leverage) }, { name: 'attention from its chunk', byHead: whole(attention) }],
		meaning: `${lambda.toPrecision(3)} x leverage + attention from its own chunk`
	};
}

export default defineMethod({
	id: 'compactor',
	title: 'Compactor',
	subtitle: 'leverage and attention inside chunks',
	family: 'eviction',
	paper: 'Chari and Van Durme, Compactor: Calibrated Query-Agnostic KV Cache Compression with Approximate Leverage Scores, 2025',
	confidence: 'Follows kvpress 0.5.4 and agrees with its numbers, given its random sketch and variant "released". The paper also chooses the ratio for each text, which neither does.',
	ours: 'As the two parts: the sketch comes from the seed, the last chunk is masked rightly unless "released", sketch and chunk are smaller by default (12 and 64 for 48 and 256). First and last tokens are safe; kvpress gives them the best score of the others, with which they tie.',
	failures: 'The weight of geometry grows with the compression, so what stays at a small budget need not be part of what stays at a larger one.',
	idea: 'Two signals that ask nothing of the question to come: keys that are geometric outliers, and attention inside chunks of the text. Blend them; the harder the compression, the more weight on geometry.',
	acts: 'After the prompt.',
	formula: String.raw`s_j=\lambda\,z(\ell_j)+z(a_j),\qquad\lambda=r\ \text{(the share that is removed)}`,
	bytes: KEPT_BYTES,
	sources: ['https://arxiv.org/abs/2507.08143', 'https://github.com/NVIDIA/kvpress'],
	scorer: true,
	params: {
		budget: BUDGET,
		sink_size_start: { kind: 'int', default: 8, min: 0, max: 64, about: 'First tokens that always stay.' },
		sink_size_end: { kind: 'int', default: 4, min: 0, max: 64, about: 'Last tokens that always stay.' },
		blend: { kind: 'choice', default: 'ratio', options: ['ratio', 'fixed'], about: 'The weight of leverage: the share that is removed, or the number below.' },
		blending: { kind: 'number', default: 0.35, min: 0, max: 100, step: 0.05, about: 'The weight of leverage where it is fixed.' },
		sketch: { kind: 'int', default: 12, min: 1, max: 256, about: 'Numbers a key in the random sketch; at the width of a head or above, the keys themselves.' },
		chunk: { kind: 'int', default: 64, min: 1, max: 1024, about: 'Tokens that judge each other by attention.' },
		variant: { kind: 'choice', default: 'ours', options: ['ours', 'released'], about: 'Whether the filling of an incomplete last chunk is left out or takes part.' }
	},
	needs: () => ({ queries: 'all' }),
	start(context, params) {
		const { sink_size_start: first, sink_size_end: last, blending, sketch, chunk } = params as Record<string, number>;
		const budget = params.budget as Budget;
		const lambda = params.blend === 'fixed' ? blending : 1 - shareOf(context, budget);
		const released = params.variant === 'released';
		const score = (layer: LayerCache, seen: PromptView) => blend(
			layer,
			leverageOf(layer, seen, sketches(context.random, layer, sketch), first, last),
			chunkAttention(layer, seen, chunk, released, first, last),
			first, lambda
		);
		return evictOnce(context.slots(budget), score);
	}
});
