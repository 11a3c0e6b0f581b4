import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { decision, keepTop } from '../decide.ts';
import { defineMethod, type PromptView, type Scores, type StepView } from '../define.ts';
import { argMin, meanOf, others } from '../select.ts';
import { groupOf, headsOf, realign } from '../slots.ts';

/** Bytes that a running sum holds a slot (float32). */
const SUM_BYTES = 4;
const MEANING = 'attention received so far';

/** Running sums of one head, aligned with the slots at `positions`. */
interface Sums {
	positions: Int32Array;
	values: Float64Array;
}

/**
 * Sums of the attention that each present slot has received in the prompt: mean over the group's
 * query heads of the column sums. `mean` divides by the number of queries that could see the slot.
 */
export function promptSums(layer: LayerCache, seen: PromptView, mean: boolean): Float64Array[] {
	return headsOf(layer).map((head) => {
		const sums = meanOf(groupOf(head, seen.model).map((queryHead) => seen.attentionSums(queryHead)));
		return Float64Array.from(layer.positions(head), (position) => sums[position] / (mean ? seen.n - position : 1));
	});
}

/** Scores of a layer: the sums, with the newest `recent` slots safe. */
export function heavyHitters(layer: LayerCache, sums: Float64Array[], recent: number): Scores {
	return { byHead: sums, always: sums.map((row) => row.map((_, slot) => (slot >= row.length - recent ? 1 : 0))).map((row) => Uint8Array.from(row)), meaning: MEANING };
}

export default defineMethod({
	id: 'h2o',
	title: 'H2O',
	subtitle: 'heavy hitters and the newest, at every step',
	family: 'eviction',
	paper: 'Zhang et al., H2O: Heavy-Hitter Oracle for Efficient Generative Inference of Large Language Models, NeurIPS 2023',
	confidence: 'The rule follows the official code as described (sums over the prompt, then one eviction a step); it has not been compared with that code by running it.',
	ours: 'Query heads that share a KV head are averaged. The mean form divides by the number of queries that could see a token, as kvpress does.',
	failures: 'Sums favour early tokens: after a prompt of n tokens, token j has been added up over n - j queries. With "sum" set to "mean" it is not so.',
	idea: 'Add up the attention that every token receives. A few tokens collect most of it and go on collecting it: the heavy hitters. Keep them and, since a new token has had no time to collect, the newest tokens too. The sums run on while text is generated, so the choice follows the text.',
	acts: 'After the prompt, then one eviction a head at every decode step.',
	formula: String.raw`A_j\leftarrow A_j+\frac1G\sum_{h\in g}a_{h,t,j},\qquad j^*=\arg\min_{j\,\notin\,\text{newest }C_r}A_j`,
	bytes: 'The kept keys and values in fp16, 2 bytes of position and 4 bytes of running sum a slot and KV head.',
	sources: ['https://arxiv.org/abs/2306.14048', 'https://github.com/FMInference/H2O', 'https://github.com/Zefan-Cai/KVCache-Factory'],
	scorer: true,
	params: {
		budget: { kind: 'budget', default: { fraction: 0.25 }, about: 'How much of the cache stays: heavy hitters and newest tokens together.' },
		heavy: { kind: 'number', default: 0.5, min: 0, max: 1, step: 0.05, about: 'Share of the budget for heavy hitters; the rest is for the newest tokens.' },
		sum: { kind: 'choice', default: 'sum', options: ['sum', 'mean'], about: 'Plain sums favour early tokens, which more queries could see; the mean does not.' },
		decode: { kind: 'boolean', default: true, about: 'Hold the budget while generating, too.' }
	},
	needs: (params) => ({ attentionSums: true, stepAttention: params.decode as boolean }),
	start(context, params) {
		const decode = params.decode as boolean;
		const mean = params.sum === 'mean';
		const capacity = context.slots(params.budget as Budget, 0, decode ? SUM_BYTES : 0);
		const limited = Number.isFinite(capacity);
		const recent = limited ? capacity - Math.floor(capacity * (params.heavy as number)) : 0;
		const byLayer = new Map<number, Sums[]>();
		/** The sums are part of the cache: an array of them exists and is billed. */
		const bill = (layer: LayerCache, sums: Sums[]) => {
			const array = Float32Array.from(sums.flatMap((each) => Array.from(each.values)));
			layer.holdState('running sums of attention', [{ item: 'state', array }]);
		};
		const score = (layer: LayerCache, seen: PromptView) => heavyHitters(layer, promptSums(layer, seen, mean), recent);
		return {
			score,
			prefilled(layer, seen) {
				if (!limited) return;
				const scores = score(layer, seen);
				const before = headsOf(layer).map((head) => layer.positions(head));
				keepTop(layer, scores, capacity);
				if (!decode) return;
				const sums = headsOf(layer).map((head) => {
					const positions = layer.positions(head);
					return { positions, values: realign(before[head], scores.byHead[head], positions) };
				});
				byLayer.set(layer.layer, sums);
				bill(layer, sums);
			},
			appended(layer, seen) {
				const sums = byLayer.get(layer.layer);
				if (!sums) return;
				for (const head of headsOf(layer)) {
					const grown = addStep(layer, seen, head, sums[head], mean);
					sums[head] = evictWeakest(layer, head, grown, capacity, recent);
				}
				bill(layer, sums);
			}
		};
	}
});

/** Adds the attention of one step to the sums. With `mean`, sums are per query that could see the slot. */
function addStep(layer: LayerCache, seen: StepView, head: number, sums: Sums, mean: boolean): Sums {
	const positions = layer.positions(head);
	const values = realign(sums.positions, sums.values, positions);
	const attention = meanOf(groupOf(head, seen.model).map((queryHead) => seen.attention(queryHead)));
	const step = realign(seen.positions(head), attention, positions);
	for (let slot = 0; slot < values.length; slot++) {
		const queries = seen.position - positions[slot] + 1;
		values[slot] = mean ? values[slot] + (step[slot] - values[slot]) / queries : values[slot] + step[slot];
	}
	return { positions, values };
}

/** Evicts the smallest sums outside the newest `recent` slots until the head holds `capacity`. */
function evictWeakest(layer: LayerCache, head: number, sums: Sums, capacity: number, recent: number): Sums {
	const n = sums.values.length;
	if (n <= capacity) return sums;
	const safe = Uint8Array.from(layer.protectedSlots(head), (flag, slot) => (flag || slot >= n - recent ? 1 : 0));
	const open = safe.map((flag) => 1 - flag);
	const gone: number[] = [];
	while (n - gone.length > capacity) {
		const slot = argMin(sums.values, open);
		if (slot < 0) break;
		open[slot] = 0;
		gone.push(slot);
	}
	gone.sort((a, b) => a - b);
	const kept = others(n, gone);
	layer.evict(head, gone, {
		decision: decision({ positions: sums.positions, scores: sums.values, safe, kept, meaning: MEANING })
	});
	const positions = layer.positions(head);
	return { positions, values: realign(sums.positions, sums.values, positions) };
}
