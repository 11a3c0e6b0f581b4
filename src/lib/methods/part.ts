/** A layer and its prompt as if the cache held only some of its slots, for wrappers that ask their scorer about a part. */
import type { LayerCache } from '$lib/cache/types.ts';
import type { PromptView } from './define.ts';
import { attentionRow } from './observe.ts';
import { rowsOf } from './slots.ts';

type Readings = Pick<LayerCache, 'layer' | 'kvHeads' | 'headDim' | 'length' | 'positions' | 'rotaryPositions' | 'keys' | 'values' | 'bias' | 'protectedSlots' | 'exact' | 'hidden' | 'summary'>;

/** The layer with only `slots` of each head, ascending. It can be read; it has no verbs. */
export function partOf(layer: LayerCache, slots: readonly ArrayLike<number>[]): LayerCache {
	const d = layer.headDim;
	const ints = (all: Int32Array, head: number) => Int32Array.from(slots[head], (slot) => all[slot]);
	const flags = (all: Uint8Array, head: number) => Uint8Array.from(slots[head], (slot) => all[slot]);
	const part: Readings = {
		layer: layer.layer, kvHeads: layer.kvHeads, headDim: d,
		length: (head) => slots[head].length,
		positions: (head) => ints(layer.positions(head), head),
		rotaryPositions: (head) => ints(layer.rotaryPositions(head), head),
		keys: (head) => rowsOf(layer.keys(head), slots[head], d),
		values: (head) => rowsOf(layer.values(head), slots[head], d),
		bias: (head) => {
			const all = layer.bias(head);
			return Float32Array.from(slots[head], (slot) => all[slot]);
		},
		protectedSlots: (head) => flags(layer.protectedSlots(head), head),
		exact: (head, which) => flags(layer.exact(head, which), head),
		hidden: (head) => flags(layer.hidden(head), head),
		summary: (head) => layer.summary(head)
	};
	return part as LayerCache;
}

/**
 * What a scorer sees of a part: the prompt ends at position `end`, its queries are those of the
 * tokens `from` ... end - 1, and sums are of their attention over the part alone. With `shift` the
 * queries stand that many positions later than they do. The prompt's queries must all have been asked for.
 */
export function seenOf(seen: PromptView, part: LayerCache, from: number, end: number, shift = 0): PromptView {
	const d = part.headDim;
	/** Of the newest tokens' rows, those of the part. */
	const inside = (all: Float32Array) => {
		const first = seen.n - all.length / d;
		return all.subarray(Math.max(0, from - first) * d, Math.max(0, end - first) * d);
	};
	const queries = (queryHead: number) => {
		const rows = inside(seen.queries(queryHead));
		return shift === 0 ? rows : seen.rope.rotate(rows, new Int32Array(rows.length / d).fill(shift), d);
	};
	return {
		...seen, n: end, queries,
		queriesBefore: (queryHead) => inside(seen.queriesBefore(queryHead)),
		attentionSums(queryHead) {
			const head = Math.floor((queryHead * part.kvHeads) / seen.model.heads);
			const [keys, positions, rows] = [part.keys(head), part.positions(head), queries(queryHead)];
			const sums = new Float64Array(end);
			for (let i = 0; i < rows.length / d; i++) {
				const limit = end - rows.length / d + i;
				attentionRow(rows.subarray(i * d, (i + 1) * d), keys, positions, limit).forEach((p, slot) => (sums[positions[slot]] += p));
			}
			return sums;
		}
	};
}
