/**
 * The forward pass of a Llama-style decoder. It knows nothing of caches: each layer's query, key
 * and value go to a `Memory`, which gives back what attention read.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { ModelShape } from '$lib/documents/trace.ts';
import { inverseFrequencies } from '$lib/numerics/rope.ts';
import { joinHeads, matMul, read, rmsNorm, rotation, splitHeads, swiGlu, transposed, type Rotation } from '$lib/ops/index.ts';
import type { LlamaConfig } from './config.ts';
import { toFloat32 } from './safetensors.ts';
import type { Decoder, DecoderOutput, LayerInput, Memory, Pass } from './types.ts';
import { tensorsOf, type LayerWeights, type Weights } from './weights.ts';

export class LlamaDecoder implements Decoder {
	readonly invFreq: Float64Array;

	constructor(readonly shape: ModelShape, private readonly config: LlamaConfig, private readonly weights: Weights) {
		this.invFreq = inverseFrequencies(config.headDim, config.ropeTheta);
	}

	async forward(ids: Int32Array, pass: Pass, memory: Memory, options: { allLogits?: boolean } = {}): Promise<DecoderOutput> {
		checkPass(ids, pass, this.config);
		const angles = rotation(pass.start, pass.tokens, this.invFreq);
		let hidden: tf.Tensor = this.embed(ids);
		try {
			for (let layer = 0; layer < this.config.layers; layer++) {
				const next = await this.layer(layer, hidden, angles, pass, memory);
				hidden.dispose();
				hidden = next;
			}
			return { logits: tf.tidy(() => this.logits(hidden, pass, options.allLogits ?? false)) };
		} finally {
			hidden.dispose();
			angles.dispose();
		}
	}

	async weight(name: 'q_proj' | 'k_proj' | 'v_proj' | 'o_proj', layer: number): Promise<Float32Array> {
		const { heads, kvHeads, headDim } = this.config;
		const from = { q_proj: 0, k_proj: heads, v_proj: heads + kvHeads, o_proj: 0 }[name] * headDim;
		const { qkv, o } = this.weights.layers[layer];
		if (name === 'o_proj') return outputsFirst(o, 0, o.outputs);
		return outputsFirst(qkv, from, from + (name === 'q_proj' ? heads : kvHeads) * headDim);
	}

	dispose(): void {
		tf.dispose(tensorsOf(this.weights));
	}

	private embed(ids: Int32Array): tf.Tensor {
		const { hidden } = this.config;
		const rows = new Float32Array(ids.length * hidden);
		ids.forEach((id, i) => rows.set(toFloat32(this.weights.embedding, id * hidden, (id + 1) * hidden), i * hidden));
		return tf.tensor(rows, [ids.length, hidden]);
	}

	/** One layer: [batch x tokens, hidden] -> the same. */
	private async layer(layer: number, hidden: tf.Tensor, angles: Rotation, pass: Pass, memory: Memory): Promise<tf.Tensor> {
		const weights = this.weights.layers[layer];
		const input = this.project(layer, hidden, angles, pass, memory.wantsKeyBefore?.(layer) ?? false);
		let context: tf.Tensor;
		try {
			context = await memory.attend(input);
		} finally {
			tf.dispose([input.query, input.key, input.value, ...(input.keyBefore ? [input.keyBefore] : [])]);
		}
		const next = tf.tidy(() => this.afterAttention(weights, hidden, context));
		context.dispose();
		return next;
	}

	private project(layer: number, hidden: tf.Tensor, angles: Rotation, pass: Pass, keyBefore: boolean): LayerInput {
		const { heads, kvHeads, headDim, eps } = this.config;
		const { inputNorm, qkv } = this.weights.layers[layer];
		const part = (columns: tf.Tensor, count: number, before: number, turned: boolean) => splitHeads(columns,
			{ batch: pass.batch, tokens: pass.tokens, heads: count, headDim, first: before * headDim }, turned ? angles : undefined);
		const [query, key, value, before] = tf.tidy(() => {
			const columns = matMul(rmsNorm(hidden, inputNorm, eps), qkv);
			const parts = [part(columns, heads, 0, true), part(columns, kvHeads, heads, true), part(columns, kvHeads, heads + kvHeads, false)];
			if (keyBefore) parts.push(part(columns, kvHeads, heads, false));
			return parts;
		});
		return { layer, pass, query, key, value, ...(before ? { keyBefore: before } : {}) };
	}

	private afterAttention(weights: LayerWeights, hidden: tf.Tensor, context: tf.Tensor): tf.Tensor {
		const attended = matMul(joinHeads(context), weights.o, { plus: hidden });
		const inner = swiGlu(matMul(rmsNorm(attended, weights.postNorm, this.config.eps), weights.gateUp));
		return matMul(inner, weights.down, { plus: attended });
	}

	private logits(hidden: tf.Tensor, { batch, tokens }: Pass, all: boolean): tf.Tensor {
		const { hidden: width, vocab, eps } = this.config;
		const last = all || tokens === 1
			? hidden
			: tf.reshape(tf.slice(tf.reshape(hidden, [batch, tokens, width]), [0, tokens - 1, 0], [batch, 1, width]), [batch, width]);
		const logits = matMul(rmsNorm(last, this.weights.norm, eps), this.weights.head);
		return all ? tf.reshape(logits, [batch, tokens, vocab]) : logits;
	}
}

/** Rows from..to of a weight as [outputs, inputs], whatever its layout on the device. */
async function outputsFirst({ tensor, inputs, outputs, rowMajorOutputs }: LayerWeights['qkv'], from: number, to: number): Promise<Float32Array> {
	const numbers = (await read(tensor)) as Float32Array;
	const rows = rowMajorOutputs ? numbers : transposed(numbers, inputs, outputs);
	return rows.slice(from * inputs, to * inputs);
}

function checkPass(ids: Int32Array, { batch, tokens, start }: Pass, { context, vocab }: LlamaConfig): void {
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
