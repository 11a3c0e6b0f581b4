/**
 * The memory of the prompt's own pass: batch 1, nothing before it. It keeps keys and values and
 * what methods asked for, as plain arrays.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { ModelShape } from '$lib/documents/trace.ts';
import type { LayerInput, Memory, Pass } from '$lib/model/types.ts';
import { attention } from '$lib/ops/index.ts';
import { readLayers } from './read-layers.ts';

/** What is captured beside keys and values; the union of what methods need of the prompt. */
export interface CaptureNeeds {
	/** Rotated queries of the last w tokens. */
	queries?: { last: number } | 'all';
	/** Column sums of the causal attention, by query head. */
	attentionSums?: boolean;
	/** Keys before rotation. */
	keysBefore?: boolean;
}

/** Plain numbers of one layer of a pass of n tokens. */
export interface LayerCapture {
	/** [kvHeads, n, headDim] */
	keys: Float32Array;
	values: Float32Array;
	keysBefore?: Float32Array;
	/** [heads, w, headDim] */
	queries?: Float32Array;
	/** [heads, n] */
	attentionSums?: Float32Array;
}

export class Captured {
	constructor(
		readonly shape: ModelShape,
		readonly n: number,
		readonly layers: LayerCapture[],
		/** [n]: where each token's query and key were turned to. */
		readonly angles = Int32Array.from({ length: n }, (_, i) => i),
		private readonly logits?: Float32Array
	) {}

	/** Rows of queries that were kept: min(w, n). */
	queryRows(layer: number): number {
		return (this.layers[layer].queries?.length ?? 0) / (this.shape.heads * this.shape.headDim);
	}

	/** [n, headDim] of one KV head; a view. Throws RangeError for what was not asked for. */
	keys(layer: number, head: number): Float32Array {
		return this.part(this.layers[layer].keys, head, this.shape.kvHeads, 'keys');
	}
	values(layer: number, head: number): Float32Array {
		return this.part(this.layers[layer].values, head, this.shape.kvHeads, 'values');
	}
	keysBefore(layer: number, head: number): Float32Array {
		return this.part(this.layers[layer].keysBefore, head, this.shape.kvHeads, 'keys before rotation');
	}
	/** [w, headDim] of one query head. */
	queries(layer: number, queryHead: number): Float32Array {
		return this.part(this.layers[layer].queries, queryHead, this.shape.heads, 'queries');
	}
	/** [n] of one query head. */
	attentionSums(layer: number, queryHead: number): Float64Array {
		return Float64Array.from(this.part(this.layers[layer].attentionSums, queryHead, this.shape.heads, 'attention sums'));
	}

	/** [vocab] of the token that follows. */
	nextLogits(): Float32Array {
		if (!this.logits) throw new RangeError('logits after the prompt were not asked for, so they were not kept');
		return this.logits;
	}

	private part(numbers: Float32Array | undefined, head: number, heads: number, what: string): Float32Array {
		if (!numbers) throw new RangeError(`${what} of the prompt were not asked for, so they were not kept`);
		if (!Number.isInteger(head) || head < 0 || head >= heads) throw new RangeError(`there is no head ${head} among ${heads}`);
		const size = numbers.length / heads;
		return numbers.subarray(head * size, (head + 1) * size);
	}
}

type Held = Partial<Record<keyof LayerCapture, tf.Tensor>>;

export class PrefillMemory implements Memory {
	private held: Held[] = [];
	private bias: tf.Tensor;

	constructor(
		private readonly shape: ModelShape,
		readonly n: number,
		private readonly needs: CaptureNeeds = {}
	) {
		this.bias = tf.keep(tf.zeros([1, shape.kvHeads, n]));
	}

	/** The pass to hand to the decoder. */
	pass(): Pass {
		return { batch: 1, tokens: this.n, start: Int32Array.of(0) };
	}

	wantsKeyBefore(): boolean {
		return this.needs.keysBefore ?? false;
	}

	attend({ layer, query, key, keyBefore, value }: LayerInput): tf.Tensor {
		const at = new Int32Array(this.shape.kvHeads);
		const result = attention(query, key, value, this.bias, at, { columnSums: this.needs.attentionSums, outOnly: true });
		const held: Held = { keys: hold(key), values: hold(value) };
		if (result.columnSums) held.attentionSums = tf.keep(result.columnSums);
		if (keyBefore) held.keysBefore = hold(keyBefore);
		if (this.needs.queries) held.queries = lastQueries(query, this.needs.queries);
		this.held[layer] = held;
		return result.out;
	}

	/** Reads everything back, `logits` of the pass too where they are given, and frees its tensors. Call once, after the pass. */
	async finish(logits?: tf.Tensor): Promise<Captured> {
		try {
			const { layers, also: [next] } = await readLayers(this.held, logits ? [logits] : []);
			return new Captured(this.shape, this.n, layers as LayerCapture[], undefined, next);
		} finally {
			this.dispose();
		}
	}

	/** Frees what a pass that failed left behind. */
	dispose(): void {
		for (const held of this.held) tf.dispose(Object.values(held));
		this.held = [];
		this.bias.dispose();
	}
}

/** A handle of our own on a tensor that the decoder will dispose of. */
export function hold(tensor: tf.Tensor): tf.Tensor {
	return tf.keep(tf.clone(tensor));
}

/** The last queries of a pass, kept: [batch, heads, w, headDim]. */
export function lastQueries(query: tf.Tensor, wanted: { last: number } | 'all'): tf.Tensor {
	const [batch, heads, tokens, headDim] = query.shape;
	const w = wanted === 'all' ? tokens : Math.min(wanted.last, tokens);
	return tf.keep(tf.slice(query, [0, 0, tokens - w, 0], [batch, heads, w, headDim]));
}
