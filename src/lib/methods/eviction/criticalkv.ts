import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import type { ModelShape } from '$lib/documents/trace.ts';
import { allocate } from '../budget-allocation/adakv.ts';
import { keepTop, safeSlots } from '../decide.ts';
import { defineMethod, type PromptView, type Scores } from '../define.ts';
import { BUDGET, isOver } from '../once.ts';
import { topSlots } from '../select.ts';
import { groupOf, headsOf } from '../slots.ts';
import { innerSpec, raised, scorerNeeds } from '../wrap.ts';

/** Added to a score before it is multiplied, as published. */
const EPSILON = 1e-4;

/**
 * Sizes of the values of one head [slots, d] in the layer's output: mean over the group's query
 * heads of the L1 norm of W_o v. `weight` is W_o, [hidden, query heads x d].
 */
export function projectedSizes(values: Float32Array, d: number, head: number, model: Pick<ModelShape, 'heads' | 'kvHeads'>, weight: Float32Array): Float64Array {
	const group = groupOf(head, model);
	const width = model.heads * d;
	const sizes = new Float64Array(values.length / d);
	for (let slot = 0; slot < sizes.length; slot++) {
		let sum = 0;
		for (const queryHead of group) {
			for (let row = queryHead * d; row < weight.length; row += width) {
				let dot = 0;
				for (let c = 0; c < d; c++) dot += weight[row + c] * values[slot * d + c];
				sum += Math.abs(dot);
			}
		}
		sizes[slot] = sum / group.length;
	}
	return sizes;
}

/**
 * The two stages for one head: the first `sure` slots by score are marked (1); all are scored anew,
 * (score + epsilon) x size. `shift` lifts scores of which some are negative, so that a larger value
 * never counts against a token.
 */
export function twoStages(scores: Float64Array, sizes: Float64Array, sure: number, shift: boolean, always?: Uint8Array): { marked: Uint8Array; second: Float64Array } {
	const marked = new Uint8Array(scores.length);
	for (const slot of topSlots(scores, sure, always)) marked[slot] = 1;
	const lift = shift ? -Math.min(0, scores.reduce((a, b) => Math.min(a, b), 0)) : 0;
	return { marked, second: scores.map((score, slot) => (score + lift + EPSILON) * sizes[slot]) };
}

export default defineMethod({
	id: 'criticalkv',
	title: 'CriticalKV',
	subtitle: 'attention times the size of the value in the output',
	family: 'eviction',
	paper: 'Feng et al., Identify Critical KV Cache in LLM Inference from an Output Perturbation Perspective, 2025',
	confidence: 'Variant "released" follows kvpress 0.5.4 and agrees with its numbers, also over Ada-KV. With scores that are not negative, such as those of SnapKV, ours gives the same scores bit for bit. The paper reports smaller errors in over 92 % of heads of a trained model; on random numbers, where attention and size have nothing to do with each other, we found the error smaller in fewer than half.',
	ours: 'The second stage multiplies scores by sizes, which turns it around where scores are negative, as those of Knorm and KeyDiff are: large values are then thrown out first. We lift the scores of a head until none is negative; this restores the sign, not a derivation, as the bound is about attention. Slots that the scorer always keeps stay. Variant "released" does neither. Heads of uneven length are truly shorter; kvpress masks.',
	failures: 'First tokens often have tiny values and lose in the second stage; only the first stage saves them.',
	idea: 'What counts is not how much attention a token gets but how far the output of the layer moves without it, and that depends on the size of its value behind the output projection, too. Half of the budget goes to the best tokens by the score, so that most attention is safe; the rest goes by score times size.',
	acts: 'After the prompt.',
	formula: String.raw`s'_j=(s_j+\epsilon)\,\frac1G\sum_{h\in g}\lVert W_O^{(h)}v_j\rVert_1,\qquad \text{top }\lfloor\rho k\rfloor\text{ by }s\text{, the rest of }k\text{ by }s'`,
	bytes: 'The kept keys and values in fp16, 4 d bytes a slot and KV head, and 2 bytes of position a slot; with uneven heads also 4 (H + 1) bytes of offsets a layer.',
	sources: ['https://arxiv.org/abs/2502.03805', 'https://github.com/NVIDIA/kvpress'],
	params: {
		scorer: { kind: 'scorer', default: { method: 'snapkv' }, about: 'The method that gives the score.' },
		budget: BUDGET,
		first_stage_ratio: { kind: 'number', default: 0.5, min: 0, max: 1, step: 0.05, about: 'Share of the budget that goes by the score alone.' },
		uneven: { kind: 'boolean', default: false, about: 'Heads share the budget of the layer as in Ada-KV, by the scores before the second stage.' },
		alpha_safeguard: { kind: 'number', default: 0.2, min: 0, max: 1, step: 0.05, about: 'With uneven heads: share of the budget that every head is sure of.' },
		variant: { kind: 'choice', default: 'ours', options: ['ours', 'released'], about: 'Whether negative scores are lifted first, or multiplied as they are.' }
	},
	needs: scorerNeeds,
	start(context, params) {
		const { model } = context;
		const uneven = params.uneven as boolean;
		const released = params.variant === 'released';
		// Offsets say where each head of a layer begins.
		const capacity = context.slots(params.budget as Budget, uneven ? (4 * (model.kvHeads + 1)) / model.kvHeads : 0, 0, uneven);
		const output = context.weights('o_proj');
		const spec = innerSpec(params);
		// The size of the value is our part; a scorer that has it built in leaves it out.
		const inner = context.inner('use_vnorm' in spec.params ? { ...spec, params: { ...spec.params, use_vnorm: false } } : spec);
		const choose = (layer: LayerCache, seen: PromptView): { scores: Scores; counts: number[] } => {
			const base = inner.score!(layer, seen);
			const rows = raised(base);
			const counts = uneven
				? allocate(layer, base, capacity, params.alpha_safeguard as number).kept.map((kept) => kept.length)
				: headsOf(layer).map(() => capacity);
			const sizes = headsOf(layer).map((head) => projectedSizes(layer.values(head), layer.headDim, head, model, output(layer.layer)));
			const stages = headsOf(layer).map((head) => {
				const sure = Math.floor(Math.min(counts[head], layer.length(head)) * (params.first_stage_ratio as number));
				return twoStages(rows[head], sizes[head], sure, !released, safeSlots(layer, base, head));
			});
			const scores: Scores = {
				byHead: stages.map(({ second }) => second),
				always: stages.map(({ marked }, head) => (released ? marked : marked.map((flag, slot) => flag || (base.always?.[head][slot] ?? 0)))),
				terms: [{ name: 'score', byHead: base.byHead }, { name: 'size of the value in the output', byHead: sizes }],
				meaning: `score times the size of the value in the output; the first by score alone are safe. Score: ${base.meaning}`
			};
			return { scores, counts };
		};
		return {
			score: (layer, seen) => choose(layer, seen).scores,
			prefilled(layer, seen) {
				if (!isOver(layer, capacity)) return;
				const { scores, counts } = choose(layer, seen);
				keepTop(layer, scores, counts);
			}
		};
	}
});
