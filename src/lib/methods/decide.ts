/** From scores to a verb with its reasons: what the page's "why was it dropped?" shows. */
import type { LayerCache } from '$lib/cache/types.ts';
import type { Decision } from '$lib/documents/trace.ts';
import type { Scores } from './define.ts';
import { topSlots } from './select.ts';
import { union } from './slots.ts';

/** Parts of a decision about one head's slots; all arrays in slot order. */
export interface DecisionParts {
	positions: ArrayLike<number>;
	scores: ArrayLike<number>;
	meaning: string;
	/** 1 where the slot stays whatever its score. */
	safe?: Uint8Array;
	terms?: { name: string; values: ArrayLike<number> }[];
	/** Slots that stay; gives the cut. */
	kept?: ArrayLike<number>;
}

/** The record of a choice. The cut is the lowest score among the kept that had to compete. */
export function decision(parts: DecisionParts): Decision {
	let cut: number | undefined;
	for (let i = 0; parts.kept && i < parts.kept.length; i++) {
		const slot = parts.kept[i];
		if (parts.safe?.[slot]) continue;
		if (cut === undefined || parts.scores[slot] < cut) cut = parts.scores[slot];
	}
	return {
		positions: Int32Array.from(parts.positions),
		scores: Float32Array.from(parts.scores),
		...(parts.safe?.some((flag) => flag) ? { protected: parts.safe } : {}),
		...(parts.terms ? { terms: parts.terms.map(({ name, values }) => ({ name, values: Float32Array.from(values) })) } : {}),
		...(cut !== undefined ? { cut } : {}),
		meaning: parts.meaning
	};
}

/** Terms of a scorer for one head. */
export function termsOf(scores: Scores, head: number): { name: string; values: ArrayLike<number> }[] {
	return (scores.terms ?? []).map((term) => ({ name: term.name, values: term.byHead[head] }));
}

/** Slots that do not compete: the scorer's own (window, sinks) and the protected ones. */
export function safeSlots(layer: LayerCache, scores: Scores, head: number): Uint8Array {
	return union(layer.length(head), scores.always?.[head], layer.protectedSlots(head));
}

/** The slots of `head` that stay when each head keeps `count`: protected ones in any case, then the scorer's own. */
export function chooseTop(layer: LayerCache, scores: Scores, head: number, count: number): { kept: Int32Array; safe: Uint8Array } {
	const safe = safeSlots(layer, scores, head);
	const guarded = layer.protectedSlots(head);
	const pinned = guarded.reduce((sum, flag) => sum + flag, 0);
	const rank = safe.map((flag, slot) => flag + guarded[slot]);
	return { kept: topSlots(scores.byHead[head], Math.max(count, pinned), rank), safe };
}

/** Each head keeps its `count` best slots, or as many as `count` says of it. Does nothing to a head that has no more than that. */
export function keepTop(layer: LayerCache, scores: Scores, count: number | readonly number[]): void {
	for (let head = 0; head < layer.kvHeads; head++) {
		const most = typeof count === 'number' ? count : count[head];
		if (layer.length(head) <= most) continue;
		const { kept, safe } = chooseTop(layer, scores, head, most);
		layer.keep(head, kept, {
			decision: decision({
				positions: layer.positions(head),
				scores: scores.byHead[head],
				meaning: scores.meaning,
				safe,
				terms: termsOf(scores, head),
				kept
			})
		});
	}
}
