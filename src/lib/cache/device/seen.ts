/** What a pass showed, as plain numbers: attention and queries of every row, layer and query head. */
import type { ArmCache } from '../arm-cache.ts';

/** Numbers of one layer; each is present only if it was asked for. */
export interface LayerSeen {
	/** [rows whose attention was asked for, heads, tokens, capacity] */
	attention?: Float32Array;
	/** [rows, heads, w, headDim] */
	queries?: Float32Array;
	/** [rows, heads, tokens]; log of the softmax denominator before and after a summary was merged. */
	logBefore?: Float32Array;
	logAfter?: Float32Array;
	/** [rows, heads, capacity] */
	attentionSums?: Float32Array;
	/** [rows, kvHeads, tokens, headDim] */
	keysBefore?: Float32Array;
}

export interface SeenShape {
	rows: number;
	heads: number;
	kvHeads: number;
	headDim: number;
	/** Places of a head: those in float32, then those of its pages. */
	capacity: number;
	tokens: number;
	/** First row whose attention was asked for; 0 if absent. */
	attentionFrom?: number;
}

export class Seen {
	constructor(
		readonly shape: SeenShape,
		private readonly arms: readonly ArmCache[],
		readonly layers: LayerSeen[],
		/** Logical position at each place when the pass was read, -1 where none: [layers][rows x kvHeads x capacity]. */
		private readonly positions: Int32Array[]
	) {}

	/** Rotated query of the last token, [headDim]; a view. */
	query(row: number, layer: number, queryHead: number): Float32Array {
		const rows = this.queries(row, layer, queryHead);
		return rows.subarray(rows.length - this.shape.headDim);
	}

	/** Rotated queries of the last w tokens of the pass, [w, headDim]; a view. */
	queries(row: number, layer: number, queryHead: number): Float32Array {
		const all = this.asked(this.layers[layer].queries, 'queries');
		const size = all.length / (this.shape.rows * this.shape.heads);
		const at = (row * this.shape.heads + queryHead) * size;
		return all.subarray(at, at + size);
	}

	/**
	 * Attention of the last token over the slots that the layer holds *now*, in slot order: a slot
	 * evicted since has no entry, one that was rewritten whole has 0. Sums to 1 less the share of a
	 * summary, as long as nothing was evicted.
	 */
	attention(row: number, layer: number, queryHead: number): Float32Array {
		const places = this.lastRow(row, layer, queryHead);
		const left = 1 - this.summaryShare(row, layer, queryHead);
		const { length, slots } = this.arms[row].layers[layer].heads[this.kvHead(queryHead)];
		const place = slots.columns.place;
		return Float32Array.from({ length }, (_, slot) => (place[slot] < 0 ? 0 : places[place[slot]] * left));
	}

	/** The same over logical positions 0 … span-1, as it was when the pass was read; 0 where the row had no slot. */
	attentionByPosition(row: number, layer: number, queryHead: number, span: number): Float32Array {
		const places = this.lastRow(row, layer, queryHead);
		const left = 1 - this.summaryShare(row, layer, queryHead);
		const { kvHeads, capacity } = this.shape;
		const from = (row * kvHeads + this.kvHead(queryHead)) * capacity;
		const out = new Float32Array(span);
		for (let place = 0; place < capacity; place++) {
			const position = this.positions[layer][from + place];
			// Added, not set: in the re-run of step 0 the token's own place stands for its position.
			if (position >= 0 && position < span) out[position] += places[place] * left;
		}
		return out;
	}

	/** The same over these logical positions only, as it was when the pass was read. */
	attentionOver(row: number, layer: number, queryHead: number, positions: ArrayLike<number>): Float32Array {
		const places = this.lastRow(row, layer, queryHead);
		const left = 1 - this.summaryShare(row, layer, queryHead);
		const placeOf = this.placesByPosition(row, layer, this.kvHead(queryHead));
		return Float32Array.from(positions, (position) => (placeOf[position] >= 0 ? places[placeOf[position]] * left : 0));
	}

	/** Place of each position, -1 where none; worked out once a head, for all its query heads. */
	private placesByPosition(row: number, layer: number, head: number): Int32Array {
		const { kvHeads, capacity } = this.shape;
		const key = (layer * this.shape.rows + row) * kvHeads + head;
		let placeOf = this.places.get(key);
		if (placeOf) return placeOf;
		const at = this.positions[layer].subarray((row * kvHeads + head) * capacity, (row * kvHeads + head + 1) * capacity);
		let last = -1;
		for (const position of at) if (position > last) last = position;
		placeOf = new Int32Array(last + 1).fill(-1);
		// In the re-run of step 0 the last place is the token's own; its stored slot was not read.
		for (let place = 0; place < capacity; place++) if (at[place] >= 0) placeOf[at[place]] = place;
		this.places.set(key, placeOf);
		return placeOf;
	}
	private readonly places = new Map<number, Int32Array>();

	/** Column sums of the pass's attention over the slots held now (passes of several tokens). */
	attentionSums(row: number, layer: number, queryHead: number): Float64Array {
		const all = this.asked(this.layers[layer].attentionSums, 'attention sums');
		const at = (row * this.shape.heads + queryHead) * this.shape.capacity;
		const { length, slots } = this.arms[row].layers[layer].heads[this.kvHead(queryHead)];
		const place = slots.columns.place;
		return Float64Array.from({ length }, (_, slot) => (place[slot] < 0 ? 0 : all[at + place[slot]]));
	}

	/** Keys of the pass before rotation, [tokens, headDim]; a view. */
	keysBefore(row: number, layer: number, head: number): Float32Array {
		const all = this.asked(this.layers[layer].keysBefore, 'keys before rotation');
		const size = this.shape.tokens * this.shape.headDim;
		const at = (row * this.shape.kvHeads + head) * size;
		return all.subarray(at, at + size);
	}

	/** Mass that the last token's read-out put on the head's summary; 0 without one. */
	summaryShare(row: number, layer: number, queryHead: number): number {
		const { logBefore, logAfter } = this.layers[layer];
		if (!logBefore || !logAfter) return 0;
		const at = (row * this.shape.heads + queryHead + 1) * this.shape.tokens - 1;
		return logBefore[at] === logAfter[at] ? 0 : Math.max(0, 1 - Math.exp(logBefore[at] - logAfter[at]));
	}

	private lastRow(row: number, layer: number, queryHead: number): Float32Array {
		const all = this.asked(this.layers[layer].attention, 'attention');
		const { heads, tokens, capacity, attentionFrom = 0 } = this.shape;
		const at = (((row - attentionFrom) * heads + queryHead + 1) * tokens - 1) * capacity;
		return this.asked(at >= 0 && at < all.length ? all.subarray(at, at + capacity) : undefined, `attention of row ${row}`);
	}

	private kvHead(queryHead: number): number {
		return Math.floor(queryHead / (this.shape.heads / this.shape.kvHeads));
	}

	private asked(numbers: Float32Array | undefined, what: string): Float32Array {
		if (!numbers) throw new RangeError(`${what} of this pass were not asked for, so they were not kept`);
		return numbers;
	}
}
