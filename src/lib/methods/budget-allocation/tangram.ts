import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { chooseTop, decision, termsOf } from '../decide.ts';
import { defineMethod, type PromptView, type Scores, type Shipped } from '../define.ts';
import { BUDGET, isOver } from '../once.ts';
import { headsOf, union } from '../slots.ts';
import { innerSpec, scorerNeeds } from '../wrap.ts';
import { clustersOf, countAmongBest, inProportion } from './clusters.ts';

/** Standard deviations that a calibrated budget adds to its mean. */
const SAFETY = 2;

/** One head of one layer; `scores` of the whole layer, with sinks and window always kept. */
interface Head {
	layer: LayerCache;
	head: number;
	scores: Scores;
	/** 1 where the slot competes. */
	open: Uint8Array;
}

const openSlots = ({ open }: Head): number => open.reduce((sum, flag) => sum + flag, 0);

/** The largest score that any head of the group gives to each token that competes in it. */
function pooled(group: readonly Head[]): number[] {
	const best = new Map<number, number>();
	for (const { layer, head, scores, open } of group) {
		layer.positions(head).forEach((position, slot) => {
			if (open[slot]) best.set(position, Math.max(best.get(position) ?? -Infinity, scores.byHead[head][slot]));
		});
	}
	return [...best].sort(([a], [b]) => a - b).map(([, score]) => score);
}

export default defineMethod({
	id: 'tangram',
	title: 'Tangram’s head budgets',
	subtitle: 'heads in groups, each group as long as it needs',
	family: 'budget-allocation',
	paper: 'Kim et al., Tangram: Unlocking Non-Uniform KV Cache Compression for Efficient Multi-turn LLM Serving, 2026',
	confidence: 'Pooling, thresholds and groups follow the official code as described on its card; that calibrated budgets are mean + 2 deviations is inferred there. It has not been compared with that code by running it.',
	ours: 'Only the lengths of heads are here, not the pages and the scheduler of a server: heads are stored one by one, so lengths are not rounded up to pages of 16 and there is no least length of 512. Sinks are paid out of the budget like the window. Calibrated lengths are scaled so that they cost the budget. The levels that threshold single heads are left out, since they exceed the budget by what pages waste.',
	idea: 'Some heads need far more of the text than others, and which ones hardly depends on the text. Put heads in groups that share one length, let each token speak with the best score that a head of the group gives it, and cut all groups at one threshold. Or measure the lengths once for the model and only scale them.',
	acts: 'After the prompt, over all layers together.',
	formula: String.raw`s_c[j]=\max_{h\in c}s[h,j],\qquad \text{len}_c=s+w+\#\{j: s_c[j]\text{ among the }\lfloor\rho'N\rfloor\text{ best of all groups}\}`,
	bytes: 'As many slots as with equal heads, 4 d + 2 bytes each, and 4 (H + 1) bytes of offsets a layer whose heads differ.',
	sources: ['https://arxiv.org/abs/2606.06302', 'https://github.com/aiha-lab/TANGRAM'],
	params: {
		scorer: { kind: 'scorer', default: { method: 'snapkv' }, about: 'The method that scores tokens; each head keeps its own best.' },
		budget: BUDGET,
		level: { kind: 'choice', default: 'crosslayer_cluster', options: ['crosslayer_cluster', 'perlayer_cluster', 'calibrated', 'uniform'], about: 'One threshold for all groups of the model or of each layer; lengths as calibrated for the model; or the same length for all.' },
		group: { kind: 'int', default: 2, min: 1, max: 64, about: 'Heads that share a length; published are 4.' },
		clusters: { kind: 'choice', default: 'adjacent', options: ['adjacent', 'calibrated'], about: 'Groups of neighbouring heads, or of heads that were found alike in greed.' },
		sink: { kind: 'int', default: 4, min: 0, max: 64, about: 'First tokens that always stay.' },
		window: { kind: 'int', default: 32, min: 0, max: 512, about: 'Last prompt tokens that always stay.' }
	},
	needs: scorerNeeds,
	start(context, params) {
		const { kvHeads } = context.model;
		const [sink, window, size] = [params.sink as number, params.window as number, params.group as number];
		// Offsets say where each head of a layer begins.
		const capacity = context.slots(params.budget as Budget, (4 * (kvHeads + 1)) / kvHeads, 0, true);
		if (!Number.isFinite(capacity)) return {};
		const inner = context.inner(innerSpec(params));
		const calibrated: (() => Shipped) | null = params.level === 'calibrated' || params.clusters === 'calibrated' ? context.shipped('head-budgets') : null;
		const headsIn = (layer: LayerCache, seen: PromptView): Head[] => {
			const base = inner.score!(layer, seen);
			const ends = headsOf(layer).map((head) => Uint8Array.from(layer.positions(head), (position) => (position < sink || position >= seen.n - window ? 1 : 0)));
			// Sinks and window take the place of what the scorer would always keep.
			const scores: Scores = { ...base, always: ends };
			return headsOf(layer).map((head) => ({ layer, head, scores, open: union(ends[head].length, ends[head], layer.protectedSlots(head)).map((flag) => 1 - flag) }));
		};
		/** Slots that compete and stay, by head: `heads` share one budget. `first` is the number of the first of them. */
		const countsOf = (heads: Head[], first: number): number[] => {
			const room = heads.map(openSlots);
			const own = heads.map(({ layer, head }, i) => Math.max(0, Math.min(capacity, layer.length(head)) - (layer.length(head) - room[i])));
			if (params.level === 'uniform') return own;
			const greed = params.clusters === 'calibrated' ? calibrated!().mean.slice(first, first + heads.length) : undefined;
			const groups = clustersOf(heads.map((_, i) => i), size, greed);
			const average = own.reduce((a, b) => a + b, 0) / heads.length;
			const counts = heads.map(() => 0);
			const lengths = params.level === 'calibrated'
				? inProportion(groups.map((group) => Math.max(...group.map((i) => wish(first + i)))), groups.map((group) => Math.max(...group.map((i) => room[i]))), Math.floor(average * groups.length))
				: countAmongBest(groups.map((group) => pooled(group.map((i) => heads[i]))), Math.floor(average * groups.length));
			groups.forEach((group, g) => group.forEach((i) => (counts[i] = Math.min(room[i], lengths[g]))));
			return counts;
		};
		const wish = (head: number): number => Math.min(1, calibrated!().mean[head] + SAFETY * calibrated!().deviation[head]);
		const share = (heads: Head[], first: number) => {
			const counts = countsOf(heads, first);
			heads.forEach(({ layer, head, scores, open }, i) => {
				const length = layer.length(head);
				const target = Math.max(1, Math.min(capacity, length - openSlots(heads[i])) + counts[i]);
				if (target >= length) return;
				const { kept, safe } = chooseTop(layer, scores, head, target);
				layer.keep(head, kept, {
					decision: decision({
						positions: layer.positions(head), scores: scores.byHead[head], safe, kept, terms: termsOf(scores, head),
						meaning: `${scores.meaning}; ${counts[i]} of ${open.length} tokens for each head of the group`
					})
				});
			});
		};
		return {
			prefilledAll(layers, seen) {
				if (!layers.some((layer) => isOver(layer, capacity))) return;
				const byLayer = layers.map((layer, l) => headsIn(layer, seen[l]));
				if (params.level === 'perlayer_cluster') byLayer.forEach((heads, l) => share(heads, l * kvHeads));
				else share(byLayer.flat(), 0);
			}
		};
	}
});
