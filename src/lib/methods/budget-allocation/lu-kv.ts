import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { chooseTop, decision } from '../decide.ts';
import { defineMethod, type PromptView, type Reading, type Scores } from '../define.ts';
import { BUDGET, isOver } from '../once.ts';
import { projectedLengths } from '../projected.ts';
import { groupOf, headsOf, union } from '../slots.ts';
import { innerSpec, scorerNeeds } from '../wrap.ts';
import { drain, hullSlopes, lossCurve } from './loss-curve.ts';

/** What the model writes next reads the prompt: the most that any of its tokens pays to each. */
const FUTURE: Reading = { ids: 'future', over: 'prompt', columns: { take: 'max', own: true } };

/**
 * Utility of the slots of each head: the largest attention that the coming tokens pay, over the group's
 * query heads, each times the length of the value behind the output projection over the layer's sum of them.
 */
export function utility(layer: LayerCache, seen: PromptView, output: Float32Array): Float64Array[] {
	const { model } = seen;
	const view = seen.reading(FUTURE);
	const lengths = headsOf(layer).map((head) => groupOf(head, model).map((queryHead) => projectedLengths(output, queryHead, model.heads, layer.values(head), layer.headDim)));
	const total = lengths.flat().reduce((sum, row) => sum + row.reduce((a, b) => a + b, 0), 0);
	return headsOf(layer).map((head) => {
		const paid = groupOf(head, model).map((queryHead) => view.columns(queryHead));
		return Float64Array.from(layer.positions(head), (position, slot) =>
			paid.reduce((most, row, g) => Math.max(most, (row[position] * lengths[head][g][slot]) / (total || 1)), 0)
		);
	});
}

/** One head among all that share a budget. */
interface Head {
	layer: LayerCache;
	head: number;
	scores: Scores;
	useful: Float64Array;
	/** Marginal losses of what may go, convex. */
	slopes: Float64Array;
}

export default defineMethod({
	id: 'lu-kv',
	title: 'LU-KV',
	subtitle: 'budgets by what each head will lose later',
	family: 'budget-allocation',
	paper: 'Predicting Future Utility: Global Combinatorial Optimization for Task-Agnostic KV Cache Eviction, ICML 2026',
	confidence: 'Loss curves, hulls and the greedy hand-out follow the official code as described on its card; it has not been compared with that code by running it.',
	ours: 'The published method averages the profile over 200 calibration texts into a table. Here it is computed from the text at hand: the full cache writes on first, and its attention is the future that heads are judged by. So budgets know this future, and the result is what a perfect table could give; which tokens stay in a head the scorer still decides alone. Heads are truly of different length; kvpress masks. Where the budget is smaller than sinks and window, heads get equal parts of it.',
	idea: 'A score says little about the future in one head and much in another. So measure, for each head, how much of what will be useful is lost when tokens go in the order of the score. Make these curves convex and always take the next token from the head where that costs least.',
	acts: 'After the prompt, over all layers together; the full cache writes its answer before that.',
	formula: String.raw`U_{hi}=\max_t\max_{h'\in g}A^{(t)}_{h'i}\,\tilde n_{h'i},\qquad C_h(m)=\sum_{\text{last }m\text{ by score}}U_{hi},\qquad \text{discard where the slope of the hull of }C_h\text{ is least}`,
	bytes: 'As many slots as with equal heads, 4 d + 2 bytes each, and 4 (H + 1) bytes of offsets a layer.',
	sources: ['https://arxiv.org/abs/2602.08585', 'https://github.com/baidu-baige/LU-KV', 'https://github.com/NVIDIA/kvpress'],
	params: {
		scorer: { kind: 'scorer', default: { method: 'snapkv' }, about: 'The method that orders the tokens of a head.' },
		budget: BUDGET,
		sink: { kind: 'int', default: 4, min: 0, max: 64, about: 'First tokens that always stay.' },
		window: { kind: 'int', default: 32, min: 0, max: 512, about: 'Last prompt tokens that always stay.' },
		scope: { kind: 'choice', default: 'all layers', options: ['all layers', 'each layer'], about: 'Who shares the budget: all heads of the model, or those of a layer.' }
	},
	needs: scorerNeeds,
	start(context, params) {
		const { kvHeads } = context.model;
		const sink = params.sink as number;
		const window = params.window as number;
		// Offsets say where each head of a layer begins.
		const capacity = context.slots(params.budget as Budget, (4 * (kvHeads + 1)) / kvHeads, 0, true);
		if (!Number.isFinite(capacity)) return {};
		const inner = context.inner(innerSpec(params));
		const output = context.weights('o_proj');
		context.reading(FUTURE);
		const headsIn = (layer: LayerCache, seen: PromptView): Head[] => {
			const base = inner.score!(layer, seen);
			const useful = utility(layer, seen, output(layer.layer));
			const ends = headsOf(layer).map((head) => Uint8Array.from(layer.positions(head), (position) => (position < sink || position >= seen.n - window ? 1 : 0)));
			const scores = { ...base, always: ends.map((mask, head) => union(mask.length, mask, base.always?.[head])) };
			return headsOf(layer).map((head) => {
				const open = union(layer.length(head), scores.always[head], layer.protectedSlots(head)).map((flag) => 1 - flag);
				// A head keeps a hundredth of the text and both ends, unless the budget does not hold that much.
				const least = Math.min(capacity, Math.max(Math.ceil(seen.n / 100), sink + window, 1));
				const slopes = hullSlopes(lossCurve(base.byHead[head], useful[head], open));
				return { layer, head, scores, useful: useful[head], slopes: slopes.subarray(0, Math.max(0, layer.length(head) - least)) };
			});
		};
		const share = (heads: Head[]) => {
			const excess = heads.reduce((sum, { layer, head }) => sum + Math.max(0, layer.length(head) - capacity), 0);
			// Nothing follows, or the budget holds no more than both ends: there is nothing to tell heads apart by.
			const even = heads.every(({ useful }) => useful.every((value) => value === 0)) || heads.reduce((sum, { slopes }) => sum + slopes.length, 0) < excess;
			const gone = even ? heads.map(({ layer, head }) => Math.max(0, layer.length(head) - capacity)) : drain(heads.map(({ slopes }) => slopes), excess);
			heads.forEach(({ layer, head, scores, useful }, i) => {
				if (gone[i] === 0) return;
				const { kept, safe } = chooseTop(layer, scores, head, layer.length(head) - gone[i]);
				layer.keep(head, kept, {
					decision: decision({
						positions: layer.positions(head), scores: scores.byHead[head], safe, kept,
						terms: [{ name: 'utility in what follows', values: useful }],
						meaning: `${scores.meaning}; as many as the head's future losses allow`
					})
				});
			});
		};
		return {
			prefilledAll(layers, seen) {
				if (!layers.some((layer) => isOver(layer, capacity))) return;
				const byLayer = layers.map((layer, l) => headsIn(layer, seen[l]));
				if (params.scope === 'all layers') share(byLayer.flat());
				else byLayer.forEach(share);
			}
		};
	}
});
