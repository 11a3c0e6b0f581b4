/**
 * @genai-fi/nanogpt: TensorFlow.js with kernels and a device of its own. Not the same network: one
 * KV head a query head, GELU instead of SwiGLU, and it attends over the whole padded block. Sizes are
 * chosen so that the weights are as many as ours; its logits cannot be compared.
 */
import { TeachableLLM, models } from '@genai-fi/nanogpt';
import * as tf from '@tensorflow/tfjs-core';
import type { LlamaConfig } from './onnx/llama.ts';
import type { Answer, Contestant, Filling, Job, Opened, Step } from '../page/contestant.ts';

interface LayerCache {
	k?: tf.Tensor;
	v?: tf.Tensor;
	length: number;
	cumulativeLength: number;
}

interface Model {
	forward(attributes: { training: boolean; cache: LayerCache[] }, ids: tf.Tensor): tf.Tensor;
	getNumParams(): number;
}

export class NanoGpt implements Contestant {
	private model!: Model;
	private cache: LayerCache[] = [];
	private layers = 0;

	async open({ model, options }: Job): Promise<Opened> {
		await TeachableLLM.selectBackend('webgpu');
		const config: LlamaConfig = await (await fetch(`${model}/config.json`)).json();
		const { hidden_size: width, intermediate_size: inner, num_hidden_layers: layers, num_attention_heads: heads, vocab_size: vocab } = config;
		this.layers = layers;
		const blockSize = Number(options?.blockSize ?? 512);
		// Two matrices of factor x width against our three of `inner`.
		const mlpFactor = (3 * inner) / (2 * width);
		this.model = new models.NanoGPTV1({ vocabSize: vocab, blockSize, nLayer: layers, nHead: heads, nEmbed: width, mlpFactor, useRope: true } as never) as unknown as Model;
		const { adapterInfo: info } = (tf.backend() as unknown as { device: GPUDevice }).device;
		await this.prefill([1]);
		return {
			engine: `@genai-fi/nanogpt ${options?.version ?? ''}`.trim(),
			adapter: info.description || [info.vendor, info.architecture].filter(Boolean).join(' '),
			note: `another network: ${heads} KV heads, GELU with factor ${mlpFactor}, ${this.model.getNumParams()} weights, attention over a padded block of ${blockSize}`
		};
	}

	async prefill(ids: number[]): Promise<Answer> {
		for (const { k, v } of this.cache) tf.dispose([k, v].filter((tensor) => tensor !== undefined));
		this.cache = Array.from({ length: this.layers }, () => ({ length: 0, cumulativeLength: 0 }));
		return this.run(ids);
	}

	async fill({ context, rows }: Filling): Promise<void> {
		if (rows !== 1) throw new Error('nanogpt is run with one row');
		await this.prefill(Array.from({ length: context }, (_, i) => i % 100));
	}

	step({ id }: Step): Promise<Answer> {
		return this.run([id]);
	}

	private async run(ids: number[]): Promise<Answer> {
		const from = performance.now();
		const last = tf.tidy(() => {
			const logits = this.model.forward({ training: false, cache: this.cache }, tf.tensor2d(ids, [1, ids.length], 'int32'));
			return tf.slice(logits, [0, ids.length - 1, 0], [1, 1, -1]);
		});
		const encode = performance.now() - from;
		const logits = (await last.data()) as Float32Array;
		last.dispose();
		return { logits, encode };
	}
}
