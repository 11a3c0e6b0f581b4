/**
 * The memory of a text that is read over a cache without being stored: what its queries paid to the
 * cache's slots is drawn together column by column, a few queries at a time, so that no array of all
 * queries by all slots is made.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LayerInput, Memory, Pass } from '$lib/model/types.ts';
import { appendSlots, attention, persistentFrom } from '$lib/ops/index.ts';
import type { ArmCache } from '../arm-cache.ts';
import { hold } from './prefill.ts';
import { readLayers } from './read-layers.ts';

/** As `Reading.columns` of the methods. */
export interface ColumnWants {
	take: 'max' | 'mean';
	/** Positions that compete: below `sinks`, and from `from` to below `to`; all where left out. */
	among?: { sinks: number; from: number; to: number };
	/** The text's own tokens take part in the softmax, causally. */
	own: boolean;
	/** Rows are divided by the length of their token's normed input. */
	perInput?: boolean;
	/** Queries a block; all in one where left out. */
	block?: number;
}

/** Plain numbers of one layer. */
export interface LayerReading {
	/** [blocks, heads, slots of the longest head], in slot order. */
	columns?: Float32Array;
	/** [kvHeads, tokens, headDim] */
	keys?: Float32Array;
	values?: Float32Array;
}

const HIDDEN = -1e30;
/** Numbers of a piece of attention that may exist at a time. */
const PIECE = 1 << 21;

export class ReadingMemory implements Memory {
	private readonly held: { columns?: tf.Tensor; keys?: tf.Tensor; values?: tf.Tensor }[] = [];

	/** Reads the cache as it is now, and never writes into it. A layer's summary of what was evicted is not read. */
	constructor(private readonly cache: ArmCache, readonly tokens: number, private readonly columns?: ColumnWants, private readonly pairs = false) {}

	pass(): Pass {
		return { batch: 1, tokens: this.tokens, start: Int32Array.of(this.cache.nextPosition()) };
	}

	wantsInput(): boolean {
		return this.columns?.perInput ?? false;
	}

	attend({ layer, query, key, value, input }: LayerInput): tf.Tensor {
		const slots = this.slots(layer);
		const { headDim: d, kvHeads } = this.cache.shape;
		const places = slots.longest + this.tokens;
		const [keys, values] = [slots.keys, slots.values].map((rows) => persistentFrom(filledUp(rows, places * d, 0), [1, kvHeads, places, d]));
		const bias = persistentFrom(filledUp(slots.bias, places, HIDDEN), [1, kvHeads, places]);
		try {
			appendSlots(keys, values, key, value, slots.lengths);
			const { out } = attention(query, keys, values, bias, slots.lengths, { outOnly: true });
			const held: (typeof this.held)[number] = (this.held[layer] = {});
			if (this.columns) held.columns = tf.keep(tf.tidy(() => this.draw(query, key, slots, input)));
			if (this.pairs) Object.assign(held, { keys: hold(key), values: hold(value) });
			return out;
		} finally {
			tf.dispose([keys, values, bias]);
		}
	}

	/** Reads everything back and frees the tensors. Call once, after the pass. */
	async finish(): Promise<LayerReading[]> {
		try {
			return (await readLayers(this.held)).layers;
		} finally {
			this.dispose();
		}
	}

	/** Frees what a pass that failed left behind. */
	dispose(): void {
		for (const held of this.held) tf.dispose(Object.values(held ?? {}));
		this.held.length = 0;
	}

	private slots(layer: number) {
		const store = this.cache.layers[layer];
		const heads = Array.from({ length: store.kvHeads }, (_, head) => head);
		const lengths = Int32Array.from(heads, (head) => store.length(head));
		return {
			lengths, longest: Math.max(...lengths),
			keys: heads.map((head) => store.keys(head)), values: heads.map((head) => store.values(head)),
			bias: heads.map((head) => {
				const hidden = store.hidden(head);
				return store.bias(head).map((bias, slot) => (hidden[slot] ? HIDDEN : bias));
			}),
			positions: heads.map((head) => store.positions(head))
		};
	}

	/** [blocks, heads, longest] */
	private draw(query: tf.Tensor, key: tf.Tensor, slots: ReturnType<ReadingMemory['slots']>, input?: tf.Tensor): tf.Tensor {
		const { headDim: d, heads, kvHeads } = this.cache.shape;
		const { take, among, own, block = this.tokens } = this.columns!;
		const { longest } = slots;
		const competes = (position: number) => !among || position < among.sinks || (position >= among.from && position < among.to);
		const bias = slots.bias.map((row, head) => row.map((x, slot) => (competes(slots.positions[head][slot]) ? x : HIDDEN)));
		const shown = tf.tensor(filledUp(bias, longest, HIDDEN), [kvHeads, 1, 1, longest]);
		const cached = tf.tensor(filledUp(slots.keys, longest * d, 0), [kvHeads, longest, d]);
		const fresh = tf.reshape(key, [kvHeads, this.tokens, d]);
		const size = Math.max(1, Math.min(block, Math.floor(PIECE / (heads * (longest + this.tokens)))));
		const lengths = input && this.columns!.perInput ? tf.sqrt(tf.sum(tf.square(input), 1)) : undefined;
		const blocks: tf.Tensor[] = [];
		for (let begin = 0; begin < this.tokens; begin += block) {
			const end = Math.min(this.tokens, begin + block);
			let drawn: tf.Tensor | undefined;
			for (let from = begin; from < end; from += size) {
				const rows = Math.min(size, end - from);
				const before = drawn;
				drawn = tf.tidy(() => {
					const part = tf.reshape(tf.slice(query, [0, 0, from, 0], [1, heads, rows, d]), [kvHeads, -1, d]);
					const logits = (keys: tf.Tensor) => tf.mul(tf.reshape(tf.matMul(part as tf.Tensor3D, keys as tf.Tensor3D, false, true), [kvHeads, heads / kvHeads, rows, -1]), 1 / Math.sqrt(d));
					let all: tf.Tensor = tf.add(logits(cached), shown);
					if (own) all = tf.concat([all, tf.add(logits(fresh), causal(from, rows, this.tokens))], 3);
					let shares: tf.Tensor = tf.slice(tf.softmax(all), [0, 0, 0, 0], [-1, -1, -1, longest]);
					if (lengths) shares = tf.div(shares, tf.reshape(tf.slice(lengths, from, rows), [1, 1, rows, 1]));
					const piece = tf.reshape(take === 'max' ? tf.max(shares, 2) : tf.div(tf.sum(shares, 2), end - begin), [heads, longest]);
					if (!before) return piece;
					return take === 'max' ? tf.maximum(before, piece) : tf.add(before, piece);
				});
				before?.dispose();
			}
			blocks.push(drawn!);
		}
		return tf.stack(blocks);
	}
}

/** [1, 1, rows, tokens]: 0 where token `from + row` sees a token of its text. */
function causal(from: number, rows: number, tokens: number): tf.Tensor {
	const mask = new Float32Array(rows * tokens);
	for (let row = 0; row < rows; row++) mask.fill(HIDDEN, row * tokens + from + row + 1, (row + 1) * tokens);
	return tf.tensor(mask, [1, 1, rows, tokens]);
}

/** Rows of different lengths, each filled up to `size` numbers. */
function filledUp(rows: Float32Array[], size: number, fill: number): Float32Array {
	const all = new Float32Array(rows.length * size).fill(fill);
	rows.forEach((row, head) => all.set(row, head * size));
	return all;
}
