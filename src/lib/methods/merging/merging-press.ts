import type { LayerCache, MergeInstruction } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { quantile } from '$lib/numerics/select.ts';
import { chooseTop, decision, termsOf } from '../decide.ts';
import { defineMethod } from '../define.ts';
import { others, rowNorms } from '../select.ts';
import { headsOf, slotsAt } from '../slots.ts';
import { innerSpec, scorerNeeds } from '../wrap.ts';

/** Guards of the divisions, as in kvpress. */
const EPSILON = 1e-6;

/** Where an evicted slot's value goes, and how much of it. */
export interface Fold {
	from: number;
	into: number;
	/** Cosine of the two keys. */
	similarity: number;
	weight: number;
}

/**
 * For every slot that is not kept: the kept slot whose key is most alike (cosine, ties to the
 * older), unless it is less alike than `threshold` or, for `fraction` < 1, not among that share of
 * the most alike. `keys` and `values` are [slots, d].
 */
export function folds(
	keys: Float32Array,
	values: Float32Array,
	d: number,
	kept: ArrayLike<number>,
	threshold: number,
	fraction: number
): Fold[] {
	const keyNorm = rowNorms(keys, d).map((norm) => Math.max(norm, EPSILON));
	const valueNorm = rowNorms(values, d);
	const found = Array.from(others(keys.length / d, kept), (from): Fold => {
		let into = -1;
		let similarity = -Infinity;
		for (let i = 0; i < kept.length; i++) {
			let dot = 0;
			for (let c = 0; c < d; c++) dot += keys[from * d + c] * keys[kept[i] * d + c];
			const cosine = dot / (keyNorm[from] * keyNorm[kept[i]]);
			if (cosine > similarity) [similarity, into] = [cosine, kept[i]];
		}
		const share = valueNorm[from] / (valueNorm[from] + valueNorm[into] + EPSILON);
		return { from, into, similarity, weight: Math.max(similarity, 0) * share };
	});
	const gated = found.map((fold) => (fold.similarity >= threshold ? fold.similarity : -Infinity));
	const least = fraction < 1 ? quantile(gated, 1 - fraction) : -Infinity;
	return found.filter((_, i) => gated[i] > -Infinity && !(gated[i] < least));
}

/** (v_t + sum w_e v_e) / (1 + sum w_e) for every slot that receives something. */
export function mergeInstructions(values: Float32Array, d: number, found: readonly Fold[]): MergeInstruction[] {
	const byTarget = new Map<number, Fold[]>();
	for (const fold of found) {
		if (fold.weight > 0) byTarget.set(fold.into, [...(byTarget.get(fold.into) ?? []), fold]);
	}
	return [...byTarget.entries()].sort(([a], [b]) => a - b).map(([into, sources]) => {
		const total = sources.reduce((sum, fold) => sum + fold.weight, 1);
		const value = new Float32Array(d);
		for (let c = 0; c < d; c++) {
			let sum = values[into * d + c];
			for (const fold of sources) sum += fold.weight * values[fold.from * d + c];
			value[c] = sum / total;
		}
		return { into, from: sources.map((fold) => fold.from), weights: sources.map((fold) => fold.weight), value };
	});
}

export default defineMethod({
	id: 'merging-press',
	title: 'Merge on eviction',
	subtitle: 'fold an evicted value into its nearest survivor',
	family: 'merging',
	paper: 'kvpress MergingPress; cites Token Merging (2022) and D2O (2024)',
	confidence: 'Follows kvpress 0.5.4 and agrees with its numbers.',
	failures: 'Merging can hurt: on a model with random weights the divergence rose slightly, from 3.289 without it to 3.328. A merged slot counts as one token, so the attention of those it took in is not made up for.',
	idea: 'An evicted value need not be thrown away: fold it into the surviving token whose key looks most like its own. Keys stay as they are, so positions are safe. A merged slot still counts as one token, so the attention that went to the lost ones is not made up for.',
	acts: 'After the prompt.',
	formula: String.raw`\omega_e=\max(\sigma_e,0)\,\frac{\lVert v_e\rVert}{\lVert v_e\rVert+\lVert v_t\rVert},\qquad v_t\leftarrow\frac{v_t+\sum_e\omega_e v_e}{1+\sum_e\omega_e}`,
	bytes: 'As the scorer: 4 d + 2 bytes a slot and KV head; nothing is stored for the merging.',
	sources: ['https://github.com/NVIDIA/kvpress/pull/219', 'https://arxiv.org/abs/2406.13035', 'https://arxiv.org/abs/2210.09461'],
	params: {
		scorer: { kind: 'scorer', default: { method: 'snapkv' }, about: 'The method that chooses what stays.' },
		budget: { kind: 'budget', default: { fraction: 0.25 }, about: 'How much of the cache stays.' },
		similarity_threshold: { kind: 'number', default: 0, min: -1, max: 1, step: 0.05, about: 'Keys less alike than this are evicted without merging.' },
		merge_fraction: { kind: 'number', default: 1, min: 0, max: 1, step: 0.05, about: 'Share of the evicted that may merge, the most alike first.' }
	},
	needs: scorerNeeds,
	start(context, params) {
		const capacity = context.slots(params.budget as Budget);
		const threshold = params.similarity_threshold as number;
		const fraction = params.merge_fraction as number;
		const inner = context.inner(innerSpec(params));
		const act = (layer: LayerCache, head: number, scores: ReturnType<NonNullable<typeof inner.score>>) => {
			const { kept, safe } = chooseTop(layer, scores, head, capacity);
			const positions = Int32Array.from(layer.positions(head));
			const reasons = {
				decision: decision({
					positions, scores: scores.byHead[head], meaning: scores.meaning, safe, terms: termsOf(scores, head), kept
				})
			};
			const values = layer.values(head);
			// A value that a codec has written already cannot take anything in.
			const exact = layer.exact(head, 'V');
			const found = folds(layer.keys(head), values, layer.headDim, kept, threshold, fraction).filter(({ into }) => exact[into]);
			layer.merge(head, mergeInstructions(values, layer.headDim, found), reasons);
			layer.keep(head, slotsAt(layer.positions(head), positions.filter((_, slot) => kept.includes(slot))), reasons);
		};
		return {
			prefilled(layer, seen) {
				if (!headsOf(layer).some((head) => layer.length(head) > capacity)) return;
				const scores = inner.score!(layer, seen);
				for (const head of headsOf(layer)) if (layer.length(head) > capacity) act(layer, head, scores);
			}
		};
	}
});
