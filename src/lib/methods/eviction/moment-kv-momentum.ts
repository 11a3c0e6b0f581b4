import type { LayerCache } from '$lib/cache/types.ts';
import { decision } from '../decide.ts';
import { defineMethod, type StepView } from '../define.ts';
import { meanOf, others } from '../select.ts';
import { groupOf, headsOf, range, realign, slotsAt } from '../slots.ts';

/** Importance of the tokens that were written, one number each for all heads of a layer. */
interface Importance {
	positions: Int32Array;
	values: Float64Array;
}

/** Mean over all query heads of the layer of the step's attention to each of `positions`; 0 where a head holds it no more. */
export function attentionTo(layer: LayerCache, seen: StepView, positions: ArrayLike<number>): Float64Array {
	return meanOf(headsOf(layer).flatMap((head) =>
		groupOf(head, seen.model).map((queryHead) => realign(seen.positions(head), seen.attention(queryHead), positions))
	));
}

export default defineMethod({
	id: 'moment-kv-momentum',
	title: 'Moment-KV',
	subtitle: 'written tokens live by a fading score',
	family: 'eviction',
	paper: 'Moment-KV: Momentum-Based Decode-Time KV Cache Compression for Long Generation, 2026',
	confidence: 'From the text of the paper; no code of the authors was found.',
	ours: 'The pool is 64 tokens here, published are 512 and 1024. Stack a method before this one to compress the prompt as well.',
	failures: 'When all tokens get the same attention, the newest is dropped first, since the oldest has collected longest. With alpha near 1 the pool fills with early words and new ones die at birth.',
	idea: 'The prompt is left alone; only what the model writes itself is thinned out. Each written token has a score: attention received now is added to a part of the old score. A token that is overlooked for a while keeps its standing, one that nobody looks at fades, and a new token may die at birth, since nothing protects the newest. With a part near 1 the oldest have had the most time to collect: a bias that can be seen.',
	acts: 'At every decode step, on written tokens only; all heads of a layer lose the same one.',
	formula: String.raw`I_i\leftarrow\alpha I_i+\frac1{H_q}\sum_h a_{h,t,i},\qquad i^*=\arg\min_{i\in\Phi_d}I_i\ \text{ while }|\Phi_d|>B_d`,
	bytes: '4 d bytes a slot and KV head for the prompt and at most B_d written tokens, 2 bytes of position each once something has gone, and 4 bytes of score for each written token of a layer.',
	sources: ['https://arxiv.org/abs/2605.29873'],
	params: {
		capacity: { kind: 'int', default: 64, min: 1, max: 65536, about: 'Written tokens that a layer holds, B_d.' },
		alpha: { kind: 'number', default: 0.97, min: 0, max: 1, step: 0.01, about: 'Part of the old score that stays at each step: 0 looks at the present only, 1 forgets nothing.' }
	},
	needs: () => ({ stepAttention: true }),
	start(context, params) {
		const capacity = params.capacity as number;
		const alpha = params.alpha as number;
		// A pool that all the model can write fits into is never full, so no scores are held for it.
		if (context.promptTokens + capacity >= context.model.context) return {};
		const byLayer = new Map<number, Importance>();
		const evict = (layer: LayerCache, { positions, values }: Importance): Importance => {
			if (positions.length <= capacity) return { positions, values };
			const guarded = new Set(headsOf(layer).flatMap((head) => Array.from(layer.positions(head)).filter((_, slot) => layer.protectedSlots(head)[slot])));
			const order = range(0, positions.length).filter((i) => !guarded.has(positions[i])).sort((a, b) => values[a] - values[b] || a - b);
			const gone = order.slice(0, positions.length - capacity).sort();
			const leaving = Int32Array.from(gone, (i) => positions[i]);
			for (const head of headsOf(layer)) {
				const present = layer.positions(head);
				const slots = slotsAt(present, leaving);
				if (slots.length === 0) continue;
				const safe = Uint8Array.from(present, (position) => (position < context.promptTokens || guarded.has(position) ? 1 : 0));
				layer.evict(head, slots, {
					decision: decision({
						positions: present, scores: realign(positions, values, present), safe, kept: others(present.length, slots),
						meaning: `attention received while written, each step counting ${alpha} of the one after it`
					})
				});
			}
			const kept = others(positions.length, gone);
			return { positions: Int32Array.from(kept, (i) => positions[i]), values: Float64Array.from(kept, (i) => values[i]) };
		};
		return {
			appended(layer, seen) {
				const old = byLayer.get(layer.layer) ?? { positions: new Int32Array(), values: new Float64Array() };
				const positions = Int32Array.from([...old.positions, seen.position]);
				const paid = attentionTo(layer, seen, positions);
				const values = realign(old.positions, old.values, positions).map((value, i) => alpha * value + paid[i]);
				const left = evict(layer, { positions, values });
				byLayer.set(layer.layer, left);
				layer.holdState('scores of written tokens', [{ item: 'state', array: Float32Array.from(left.values) }]);
			}
		};
	}
});
