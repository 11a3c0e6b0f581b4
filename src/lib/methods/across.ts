/** One cut for all heads of all layers: what stays is chosen by comparing scores everywhere. */
import type { LayerCache } from '$lib/cache/types.ts';
import { decision, safeSlots, termsOf } from './decide.ts';
import type { Scores } from './define.ts';
import { slotsWhere, topSlots } from './select.ts';
import { headsOf } from './slots.ts';

/** Offsets that say where each head of a layer begins: 4 bytes, heads + 1 of them; as bytes a head. */
export const offsetBytes = (kvHeads: number): number => (4 * (kvHeads + 1)) / kvHeads;

/**
 * Keeps the best `total` slots of all `layers` together; equal scores go to the earlier layer, head
 * and slot. What is safe stays whatever its score, and each head keeps its best slot, since an empty
 * one could not be read.
 */
export function keepAcross(layers: readonly LayerCache[], scores: readonly Scores[], total: number): void {
	const heads = layers.flatMap((layer, l) => headsOf(layer).map((head) => ({ layer, head, scores: scores[l], safe: safeSlots(layer, scores[l], head) })));
	const all = heads.reduce((sum, { layer, head }) => sum + layer.length(head), 0);
	if (total >= all) return;
	// 2: stays in any case; 1: the best of a head that has nothing else.
	const rank = new Uint8Array(all);
	const flat = new Float64Array(all);
	let at = 0;
	for (const { layer, head, scores: { byHead }, safe } of heads) {
		const length = layer.length(head);
		flat.set(byHead[head], at);
		safe.forEach((flag, slot) => (rank[at + slot] = 2 * flag));
		if (length > 0 && !safe.some((flag) => flag)) rank[at + topSlots(byHead[head], 1)[0]] = 1;
		at += length;
	}
	const sure = slotsWhere(rank);
	const open = slotsWhere(rank.map((flag) => (flag ? 0 : 1)));
	const stays = new Uint8Array(all);
	for (const slot of sure) stays[slot] = 1;
	for (const i of topSlots(Float64Array.from(open, (slot) => flat[slot]), total - sure.length)) stays[open[i]] = 1;
	at = 0;
	for (const { layer, head, scores: own, safe } of heads) {
		const length = layer.length(head);
		const kept = slotsWhere(stays.subarray(at, at + length));
		at += length;
		if (kept.length === length) continue;
		layer.keep(head, kept, {
			decision: decision({
				positions: layer.positions(head), scores: own.byHead[head], safe, kept, terms: termsOf(own, head),
				meaning: `${own.meaning}; one cut for ${layers.length > 1 ? 'all heads of all layers' : 'all heads of the layer'}`
			})
		});
	}
}
