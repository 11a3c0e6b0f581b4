/**
 * The forward pass of a decoder: norm, attention, norm, feed-forward, a residual around each pair.
 * It knows nothing of caches: each layer's query, key and value go to a `Memory`, which gives back
 * what attention read.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { ModelShape } from '$lib/documents/trace.ts';
import { gelu, joinHeads, layerNorm, matMul, matMulSwiGlu, readWeight, rmsNorm, rope, rotation, splitAllHeads, splitHeads, uploaded, type Rotation } from '$lib/ops/index.ts';
import type { ModelConfig } from './config.ts';
import { frequenciesOf } from './rotary.ts';
import type { Decoder, DecoderOutput, Memory, Pass } from './types.ts';
import type { LayerWeights, Norm, Projection, Weights } from './weights.ts';

export class TransformerDecoder implements Decoder {
	readonly invFreq: Float64Array;

	constructor(readonly shape: ModelShape, private readonly config: ModelConfig, private readonly weights: Weights) {
		this.invFreq = frequenciesOf(config);
	}

	async forward(ids: Int32Array, pass: Pass, memory: Memory, options: { allLogits?: boolean } = {}): Promise<DecoderOutput> {
		checkPass(ids, pass, this.config);
		const angles = this.config.rotary ? rotation(pass.start, pass.tokens, this.invFreq) : undefined;
		let hidden: tf.Tensor = this.embed(ids, pass);
		try {
			for (let layer = 0; layer < this.config.layers; layer++) {
				const next = await this.layer(layer, hidden, angles, pass, memory);
				hidden.dispose();
				hidden = next;
			}
			return { logits: tf.tidy(() => this.logits(hidden, pass, options.allLogits ?? false)) };
		} finally {
			hidden.dispose();
			angles?.dispose();
		}
	}

	async weight(name: 'q_proj' | 'k_proj' | 'v_proj' | 'o_proj', layer: number): Promise<Float32Array> {
		const { heads, kvHeads, headDim } = this.config;
		const from = { q_proj: 0, k_proj: heads, v_proj: heads + kvHeads, o_proj: 0 }[name] * headDim;
		const { qkv, o } = this.weights.layers[layer];
		if (name === 'o_proj') return readWeight(o.weight);
		return readWeight(qkv.weight, from, from + (name === 'q_proj' ? heads : kvHeads) * headDim);
	}

	embedding(id: number): Float32Array {
		return this.weights.embedding(id);
	}

	dispose(): void {
		tf.dispose(this.weights.tensors);
	}

	private embed(ids: Int32Array, { tokens, start }: Pass): tf.Tensor {
		const { hidden } = this.config;
		const { embedding, positions } = this.weights;
		const rows = new Float32Array(ids.length * hidden);
		ids.forEach((id, i) => {
			const at = i * hidden;
			rows.set(embedding(id), at);
			if (!positions) return;
			const place = positions(start[Math.floor(i / tokens)] + (i % tokens));
			for (let c = 0; c < hidden; c++) rows[at + c] += place[c];
		});
		return uploaded(rows, [ids.length, hidden]);
	}

	/** One layer: [batch x tokens, hidden] -> the same. */
	private async layer(layer: number, hidden: tf.Tensor, angles: Rotation | undefined, pass: Pass, memory: Memory): Promise<tf.Tensor> {
		const weights = this.weights.layers[layer];
		const parts = tf.tidy(() => this.headsOf(weights, hidden, angles, pass, {
			key: memory.wantsKeyBefore?.(layer) ?? false, input: memory.wantsInput?.(layer) ?? false
		}));
		let context: tf.Tensor;
		try {
			context = await memory.attend({ layer, pass, ...parts });
		} finally {
			tf.dispose(parts);
		}
		const next = tf.tidy(() => this.afterAttention(weights, hidden, context));
		context.dispose();
		return next;
	}

	private headsOf(weights: LayerWeights, hidden: tf.Tensor, angles: Rotation | undefined, { batch, tokens }: Pass, wants: { key: boolean; input: boolean }) {
		const { heads, kvHeads, headDim } = this.config;
		const input = this.norm(hidden, weights.inputNorm);
		const columns = apply(weights.qkv, input);
		const { queryNorm, keyNorm } = weights;
		const all = { batch, tokens, heads, kvHeads, headDim };
		if (!queryNorm || !keyNorm) {
			const keyBefore = wants.key ? splitHeads(columns, { batch, tokens, heads: kvHeads, headDim, first: heads * headDim }) : undefined;
			return { ...splitAllHeads(columns, all, angles), ...(wants.input ? { input } : {}), ...(keyBefore ? { keyBefore } : {}) };
		}
		const parts = splitAllHeads(columns, all);
		const normed = (x: tf.Tensor, weight: tf.Tensor) =>
			tf.reshape(rmsNorm(tf.reshape(x, [-1, headDim]), weight, this.config.eps), x.shape);
		const turned = (x: tf.Tensor) => (angles ? rope(x, angles) : x);
		const key = normed(parts.key, keyNorm);
		return {
			query: turned(normed(parts.query, queryNorm)), key: turned(key), value: parts.value, ...(wants.input ? { input } : {}),
			...(wants.key ? { keyBefore: key } : {})
		};
	}

	private afterAttention(weights: LayerWeights, hidden: tf.Tensor, context: tf.Tensor): tf.Tensor {
		const attended = apply(weights.o, joinHeads(context), hidden);
		const normed = this.norm(attended, weights.postNorm);
		const inner = this.config.mlp === 'swiglu'
			? matMulSwiGlu(normed, weights.up.weight, { bias: weights.up.bias })
			: gelu(apply(weights.up, normed));
		return apply(weights.down, inner, attended);
	}

	private norm(x: tf.Tensor, { weight, bias }: Norm): tf.Tensor {
		return bias ? layerNorm(x, weight, bias, this.config.eps) : rmsNorm(x, weight, this.config.eps);
	}

	private logits(hidden: tf.Tensor, { batch, tokens }: Pass, all: boolean): tf.Tensor {
		const { hidden: width, vocab } = this.config;
		const last = all || tokens === 1
			? hidden
			: tf.reshape(tf.slice(tf.reshape(hidden, [batch, tokens, width]), [0, tokens - 1, 0], [batch, 1, width]), [batch, width]);
		const logits = matMul(this.norm(last, this.weights.norm), this.weights.head);
		return all ? tf.reshape(logits, [batch, tokens, vocab]) : logits;
	}
}

/** x W^T + bias, and a residual. */
function apply({ weight, bias }: Projection, x: tf.Tensor, plus?: tf.Tensor): tf.Tensor {
	return matMul(x, weight, { plus, bias });
}

function checkPass(ids: Int32Array, { batch, tokens, start }: Pass, { context, vocab }: ModelConfig): void {
	if (ids.length !== batch * tokens || start.length !== batch || tokens < 1) {
		throw new RangeError(`A pass of ${batch} rows and ${tokens} tokens was given ${ids.length} ids and ${start.length} positions.`);
	}
	for (const first of start) checkLength(first + tokens, context);
	for (const id of ids) {
		if (id < 0 || id >= vocab) throw new RangeError(`Token ${id} is not in the vocabulary of ${vocab}.`);
	}
}

/** Throws RangeError, in words for the reader, when `positions` do not fit the context. */
export function checkLength(positions: number, context: number): void {
	if (positions <= context) return;
	throw new RangeError(
		`The text takes ${positions} tokens, but this model was made for at most ${context}. ` +
		'Shorten the text or generate fewer tokens, or choose a model with a longer context.'
	);
}
