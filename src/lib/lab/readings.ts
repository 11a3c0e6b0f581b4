/**
 * One row's readings of a pass. Slots may be evicted by the methods that act after it, so what the
 * pass ran over is written down first.
 */
import type { ArmCache } from '$lib/cache/arm-cache.ts';
import type { Seen } from '$lib/cache/device/index.ts';

export class Readings {
	/** [layer][KV head] positions of all slots, ascending. */
	readonly #positions: Int32Array[][];
	/** The same, 1 where the slot was hidden from attention. */
	readonly #hidden: Uint8Array[][];

	/** To be made right after the pass. `last`: position of the token that the pass read; `logits`: of the next one, where they were asked for. */
	constructor(readonly seen: Seen, readonly row: number, arm: ArmCache, readonly last: number, private readonly logits?: Float32Array) {
		this.#positions = arm.layers.map((layer) => layer.heads.map((head) => head.slots.copy('position')));
		this.#hidden = arm.layers.map((layer) => layer.heads.map((head) => head.slots.copy('hidden')));
	}

	/** Positions of the slots that the layer held, the newest last. */
	positions(layer: number, head: number): Int32Array {
		return this.#positions[layer][head];
	}

	/** Attention over `positions`; sums to 1 less what a summary got (and, in the re-run of the last prompt token, what a token got that is not stored). */
	attention(layer: number, queryHead: number): Float32Array {
		return this.seen.attentionOver(this.row, layer, queryHead, this.positions(layer, this.kvHead(queryHead)));
	}

	/** Rotated query, [headDim]. */
	query(layer: number, queryHead: number): Float32Array {
		return this.seen.query(this.row, layer, queryHead);
	}

	/** [vocab] */
	nextLogits(): Float32Array {
		if (!this.logits) throw new RangeError('logits of this pass were not asked for, so they were not kept');
		return this.logits;
	}

	/** Positions that could be read: what is hidden is left out, the token itself is always there. */
	readable(layer: number, head: number): Int32Array {
		const positions = this.positions(layer, head);
		const seen = positions.filter((_, slot) => !this.#hidden[layer][head][slot]);
		return seen.at(-1) === this.last ? seen : Int32Array.of(...seen, this.last);
	}

	/** Attention over these positions. */
	attentionOver(layer: number, queryHead: number, positions: Int32Array): Float32Array {
		return this.seen.attentionOver(this.row, layer, queryHead, positions);
	}

	summaryShare(layer: number, queryHead: number): number {
		return this.seen.summaryShare(this.row, layer, queryHead);
	}

	private kvHead(queryHead: number): number {
		return Math.floor((queryHead * this.seen.shape.kvHeads) / this.seen.shape.heads);
	}
}
