/**
 * The seam between the forward pass and whoever keeps keys and values. The decoder knows nothing
 * of methods: it hands every layer's query, key and value to a `Memory` and gets back what
 * attention read from it.
 */
import type { Tensor } from '@tensorflow/tfjs-core';
import type { ModelShape } from '$lib/documents/trace.ts';

/** Where a pass of T tokens stands. All rows of a batch run the same number of tokens. */
export interface Pass {
	/** Rows of the batch (arms). */
	batch: number;
	/** Tokens a row in this pass. */
	tokens: number;
	/** Position of the first token, rotary or learned, one a row. Token t of row b stands at `start[b] + t`. */
	start: Int32Array;
}

/** What one layer hands to its memory; f32 tensors owned by the decoder, valid during the call. */
export interface LayerInput {
	layer: number;
	/** [batch, heads, tokens, headDim], rotated where the model has rotary positions. */
	query: Tensor;
	/** [batch, kvHeads, tokens, headDim], likewise. */
	key: Tensor;
	/** [batch, kvHeads, tokens, headDim], before rotation, normed where the model norms its keys. Only when `wantsKeyBefore(layer)`. */
	keyBefore?: Tensor;
	/** [batch x tokens, hidden]: the layer's normed input. Only when `wantsInput(layer)`. */
	input?: Tensor;
	/** [batch, kvHeads, tokens, headDim]. */
	value: Tensor;
	pass: Pass;
}

export interface Memory {
	/** Stores the new keys and values, then reads: [batch, heads, tokens, headDim]. The caller disposes. */
	attend(input: LayerInput): Promise<Tensor> | Tensor;
	/** Whether `keyBefore` is wanted of a layer; absent means no. */
	wantsKeyBefore?(layer: number): boolean;
	wantsInput?(layer: number): boolean;
}

export interface DecoderOutput {
	/** [batch, vocab] for the last token of each row, or [batch, tokens, vocab] with `allLogits`. */
	logits: Tensor;
}

export interface Decoder {
	readonly shape: ModelShape;
	/** Inverse rotary frequencies, length headDim/2 (float64); zeros where positions are learned, so that turning is the identity. */
	readonly invFreq: Float64Array;
	/**
	 * Runs `pass.tokens` tokens a row. `ids` is [batch x tokens], row-major.
	 * Throws RangeError if a position would lie beyond the context.
	 */
	forward(ids: Int32Array, pass: Pass, memory: Memory, options?: { allLogits?: boolean }): Promise<DecoderOutput>;
	/** The query projection and others that some methods read, as plain numbers [outputs, inputs] row-major, without biases. */
	weight(name: 'q_proj' | 'k_proj' | 'v_proj' | 'o_proj', layer: number): Promise<Float32Array>;
	/** [hidden]: a token's row of the embedding as stored in the file, whatever format the products have. */
	embedding(id: number): Float32Array;
	dispose(): void;
}
