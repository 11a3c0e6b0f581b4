import type { LayerCache } from '$lib/cache/types.ts';
import { decision } from '../decide.ts';
import { defineMethod, type PromptView, type Scores } from '../define.ts';
import { partOf } from '../part.ts';
import { others } from '../select.ts';
import { headsOf, slotsAt } from '../slots.ts';
import { scorerNeeds } from '../wrap.ts';

/** A bar below which no score is said to lie. */
const LOWEST = -1000;

/** Tokens of one head that are still in the window, with the scores they came in with, oldest first. */
interface Pending {
	positions: number[];
	scores: number[];
}

export default defineMethod({
	id: 'dms',
	title: 'Threshold with delay',
	subtitle: 'a gate at the end of a window drops what scored too low',
	family: 'eviction',
	paper: 'Łańcucki et al., Inference-Time Hyper-Scaling with KV Cache Compression (Dynamic Memory Sparsification), 2025; DMSPress of kvpress',
	confidence: 'The rule follows kvpress 0.5.4, and after the prompt it drops as many tokens of each head. The paper trains its evictors; that is not here.',
	ours: 'Dropped slots are really gone and heads differ in length; kvpress masks them at every read. The window is 32 here, 128 there, and tokens are judged while writing, too, which kvpress leaves off unless told.',
	failures: 'With a scorer that compares tokens with one another, such as SnapKV, the score of a single new token means nothing.',
	idea: 'No budget but a bar: each token is scored once, when it enters, and when it leaves a sliding window it is dropped if its score lies below the bar. Easy texts shrink more than hard ones. It fits scores that a token has by itself, such as the length of its key; a score that depends on who else is there means little for a token alone.',
	acts: 'After the prompt, and at every decode step for the token that leaves the window.',
	formula: String.raw`\text{evict }j\iff s_j<\theta\ \wedge\ j\le t-W`,
	bytes: '4 d + 2 bytes a kept slot and KV head, offsets since heads differ in length, and 4 bytes of score for each token in the window while writing.',
	sources: ['https://arxiv.org/abs/2506.05345', 'https://github.com/NVIDIA/kvpress'],
	params: {
		scorer: { kind: 'scorer', default: { method: 'knorm' }, about: 'The method whose scores are compared with the bar.' },
		threshold: { kind: 'number', default: -9, min: LOWEST, max: 1000, step: 0.1, about: 'The bar, in the units of the scorer: for knorm minus the length of a key.' },
		window: { kind: 'int', default: 32, min: 1, max: 4096, about: 'Newest tokens that are never dropped.' },
		decoding: { kind: 'boolean', default: true, about: 'Judge tokens while generating, too.' }
	},
	size: { params: ['threshold'], falls: true },
	needs: scorerNeeds,
	start(context, params) {
		const threshold = params.threshold as number;
		const window = params.window as number;
		const scorer = params.scorer as { method: string; params: object };
		const inner = context.inner({ ...scorer, params: { ...scorer.params, budget: { fraction: 1 } } });
		const byLayer = new Map<number, { seen: PromptView; heads: Pending[] }>();
		/** Drops `gone` of a head. `scores` are of all its slots; those that are not judged now have the bar itself. */
		const drop = (layer: LayerCache, head: number, gone: Int32Array, scores: Float64Array, safe: Uint8Array, meaning: string) => {
			if (gone.length === 0) return;
			layer.evict(head, gone, {
				decision: decision({ positions: layer.positions(head), scores, safe, kept: others(scores.length, gone), meaning: `${meaning}; the bar is ${threshold}` })
			});
		};
		const judgePrompt = (layer: LayerCache, head: number, scores: Scores, newest: number) => {
			const positions = layer.positions(head);
			const guarded = layer.protectedSlots(head);
			const safe = Uint8Array.from(positions, (position, slot) => (guarded[slot] || position > newest - window || slot === positions.length - 1 ? 1 : 0));
			const gone = Int32Array.from(positions.keys()).filter((slot) => !safe[slot] && scores.byHead[head][slot] < threshold);
			drop(layer, head, gone, scores.byHead[head], safe, scores.meaning);
		};
		/** The score of the newest slot of each head by itself. */
		const scoreNewest = (layer: LayerCache, seen: PromptView): Scores =>
			inner.score!(partOf(layer, headsOf(layer).map((head) => [layer.length(head) - 1])), seen);
		const judgeOldest = (layer: LayerCache, head: number, pending: Pending, meaning: string) => {
			while (pending.positions.length > window) {
				const [position, score] = [pending.positions.shift()!, pending.scores.shift()!];
				if (!(score < threshold)) continue;
				const positions = layer.positions(head);
				const scores = Float64Array.from(positions, (each) => (each === position ? score : threshold));
				const safe = Uint8Array.from(positions, (each) => (each === position ? 0 : 1));
				const slots = slotsAt(positions, [position]);
				if (positions.length > 1 && !layer.protectedSlots(head)[slots[0]]) drop(layer, head, slots, scores, safe, meaning);
			}
		};
		const hold = (layer: LayerCache, heads: Pending[]) =>
			layer.holdState('scores of the window', [{ item: 'state', array: Float32Array.from(heads.flatMap(({ scores }) => scores)) }]);
		return {
			prefilled(layer, seen) {
				const scores = inner.score!(layer, seen);
				const heads = headsOf(layer).map((head): Pending => {
					const waits = Array.from(layer.positions(head).keys()).filter((slot) => layer.positions(head)[slot] >= seen.n - window);
					return { positions: waits.map((slot) => layer.positions(head)[slot]), scores: waits.map((slot) => scores.byHead[head][slot]) };
				});
				for (const head of headsOf(layer)) judgePrompt(layer, head, scores, seen.n - 1);
				// Below the lowest bar nothing is ever dropped, so nothing need be remembered.
				if (!params.decoding || threshold <= LOWEST) return;
				byLayer.set(layer.layer, { seen, heads });
				hold(layer, heads);
			},
			appended(layer, seen) {
				const state = byLayer.get(layer.layer);
				if (!state) return;
				const scores = scoreNewest(layer, { ...state.seen, n: seen.position + 1 });
				state.heads.forEach((pending, head) => {
					// A method before this one may have dropped the new token already.
					if (layer.positions(head).at(-1) === seen.position) {
						pending.positions.push(seen.position);
						pending.scores.push(scores.byHead[head][0]);
					}
					judgeOldest(layer, head, pending, scores.meaning);
				});
				hold(layer, state.heads);
			}
		};
	}
});
