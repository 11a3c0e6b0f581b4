/**
 * The same decoder in the stock operations of TensorFlow.js, one row, as one would write it: the
 * cache grows by concatenation. Option `layout`: 'nk' multiplies by transposed [outputs, inputs]
 * weights, 'kn' by [inputs, outputs]; which is faster depends on the backend.
 */
import * as tf from '@tensorflow/tfjs-core';
import { openBackend } from '$lib/ops/index.ts';
import { cacheNumbers } from './cache.ts';
import type { Answer, Contestant, Filling, Job, Opened, Step } from './contestant.ts';
import { layoutOf, numbersOf } from './safetensors.ts';
import { withThreads } from './threads.ts';
import type { LlamaConfig } from '../peers/onnx/llama.ts';

interface Layer {
	inNorm: tf.Tensor;
	q: tf.Tensor;
	k: tf.Tensor;
	v: tf.Tensor;
	o: tf.Tensor;
	postNorm: tf.Tensor;
	gate: tf.Tensor;
	up: tf.Tensor;
	down: tf.Tensor;
	/** [kvHeads, tokens, headDim] */
	keys?: tf.Tensor;
	values?: tf.Tensor;
}

export class Stock implements Contestant {
	private config!: LlamaConfig;
	private embed!: tf.Tensor;
	private head!: tf.Tensor;
	private norm!: tf.Tensor;
	private layers: Layer[] = [];
	private turned = true;
	private length = 0;

	async open({ backend, model, threads, options }: Job): Promise<Opened> {
		const opened = backend === 'wasm' ? await withThreads(threads, () => openBackend(backend)) : await openBackend(backend);
		this.turned = options?.layout !== 'kn';
		this.config = await (await fetch(`${model}/config.json`)).json();
		const file = new Uint8Array(await (await fetch(`${model}/model.safetensors`)).arrayBuffer());
		const layout = layoutOf(file);
		const { hidden_size: width, intermediate_size: inner, num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: dim, vocab_size: vocab } = this.config;
		const tensor = (name: string, ...shape: number[]) => tf.tensor(numbersOf(file, layout, name), shape);
		const matrix = (name: string, outputs: number, inputs: number) => {
			const stored = tensor(name, outputs, inputs);
			return this.turned ? stored : tf.tidy(() => tf.transpose(stored));
		};
		this.embed = tensor('model.embed_tokens.weight', vocab, width);
		this.head = this.turned ? this.embed : tf.transpose(this.embed);
		this.norm = tensor('model.norm.weight', width);
		for (let l = 0; l < this.config.num_hidden_layers; l++) {
			const at = `model.layers.${l}`;
			this.layers.push({
				inNorm: tensor(`${at}.input_layernorm.weight`, width),
				q: matrix(`${at}.self_attn.q_proj.weight`, heads * dim, width),
				k: matrix(`${at}.self_attn.k_proj.weight`, kvHeads * dim, width),
				v: matrix(`${at}.self_attn.v_proj.weight`, kvHeads * dim, width),
				o: matrix(`${at}.self_attn.o_proj.weight`, width, heads * dim),
				postNorm: tensor(`${at}.post_attention_layernorm.weight`, width),
				gate: matrix(`${at}.mlp.gate_proj.weight`, inner, width),
				up: matrix(`${at}.mlp.up_proj.weight`, inner, width),
				down: matrix(`${at}.mlp.down_proj.weight`, width, inner)
			});
		}
		return {
			engine: `stock operations of TensorFlow.js ${tf.version_core}, weights ${this.turned ? '[outputs, inputs], transposed in the product' : '[inputs, outputs]'}`,
			adapter: opened.adapter, ...('threads' in opened ? { threads: opened.threads as number } : {})
		};
	}

	async prefill(ids: number[]): Promise<Answer> {
		this.forget();
		return this.forward(ids);
	}

	async fill({ context, rows }: Filling): Promise<void> {
		if (rows !== 1) throw new Error('the stock forward pass has one row');
		this.forget();
		const { num_key_value_heads: kvHeads, head_dim: dim } = this.config;
		this.layers.forEach((layer, l) => {
			const of = (which: 'key' | 'value') => tf.tensor(cacheNumbers(which, l, kvHeads * context * dim), [kvHeads, context, dim]);
			[layer.keys, layer.values] = [of('key'), of('value')];
		});
		this.length = context;
	}

	step({ id }: Step): Promise<Answer> {
		return this.forward([id]);
	}

	private forget(): void {
		for (const layer of this.layers) {
			tf.dispose([layer.keys, layer.values].filter((tensor) => tensor !== undefined));
			layer.keys = layer.values = undefined;
		}
		this.length = 0;
	}

	private async forward(ids: number[]): Promise<Answer> {
		const from = performance.now();
		const logits = tf.tidy(() => {
			const { num_hidden_layers: count, head_dim: dim, rope_theta: theta } = this.config;
			const half = dim / 2;
			const angles = Float32Array.from({ length: ids.length * half }, (_, i) => (this.length + Math.floor(i / half)) * theta ** (-2 * (i % half) / dim));
			const turn = { cos: tf.tensor(angles.map(Math.cos), [ids.length, 1, half]), sin: tf.tensor(angles.map(Math.sin), [ids.length, 1, half]) };
			let x: tf.Tensor = tf.gather(this.embed, tf.tensor1d(ids, 'int32'));
			for (let l = 0; l < count; l++) x = this.layer(this.layers[l], x, turn);
			const last = tf.slice(x, [ids.length - 1, 0], [1, -1]);
			return this.product(this.normed(last, this.norm), this.head);
		});
		this.length += ids.length;
		const encode = performance.now() - from;
		const numbers = (await logits.data()) as Float32Array;
		logits.dispose();
		return { logits: numbers, encode };
	}

	private layer(layer: Layer, x: tf.Tensor, turn: { cos: tf.Tensor; sin: tf.Tensor }): tf.Tensor {
		const { num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: dim } = this.config;
		const tokens = x.shape[0];
		const group = heads / kvHeads;
		const normed = this.normed(x, layer.inNorm);
		const split = (weight: tf.Tensor, count: number) => tf.reshape(this.product(normed, weight), [tokens, count, dim]);
		const first = (heads: tf.Tensor) => tf.transpose(heads, [1, 0, 2]);
		const query = tf.reshape(first(rotated(split(layer.q, heads), turn)), [kvHeads, group * tokens, dim]);
		const keys = grown(layer.keys, first(rotated(split(layer.k, kvHeads), turn)));
		const values = grown(layer.values, first(split(layer.v, kvHeads)));
		tf.dispose([layer.keys, layer.values].filter((tensor) => tensor !== undefined));
		[layer.keys, layer.values] = [keys, values];
		const total = keys.shape[1]!;
		let scores: tf.Tensor = tf.mul(tf.matMul(query, keys, false, true), 1 / Math.sqrt(dim));
		if (tokens > 1) scores = tf.reshape(tf.add(tf.reshape(scores, [heads, tokens, total]), causal(tokens, total)), [kvHeads, group * tokens, total]);
		const attended = tf.transpose(tf.reshape(tf.matMul(softmax(scores), values), [heads, tokens, dim]), [1, 0, 2]);
		const after = tf.add(x, this.product(tf.reshape(attended, [tokens, heads * dim]), layer.o));
		const inner = this.normed(after, layer.postNorm);
		const gate = this.product(inner, layer.gate);
		return tf.add(after, this.product(tf.mul(tf.mul(gate, tf.sigmoid(gate)), this.product(inner, layer.up)), layer.down));
	}

	private product(x: tf.Tensor, weight: tf.Tensor): tf.Tensor {
		return tf.matMul(x, weight, false, this.turned);
	}

	private normed(x: tf.Tensor, weight: tf.Tensor): tf.Tensor {
		return tf.mul(tf.mul(x, tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), this.config.rms_norm_eps))), weight);
	}
}

function rotated(x: tf.Tensor, { cos, sin }: { cos: tf.Tensor; sin: tf.Tensor }): tf.Tensor {
	const [a, b] = tf.split(x, 2, -1);
	return tf.concat([tf.sub(tf.mul(a, cos), tf.mul(b, sin)), tf.add(tf.mul(b, cos), tf.mul(a, sin))], -1);
}

function grown(before: tf.Tensor | undefined, more: tf.Tensor): tf.Tensor {
	return tf.keep(before ? tf.concat([before, more], 1) : tf.clone(more));
}

function softmax(x: tf.Tensor): tf.Tensor {
	return tf.softmax(x as tf.Tensor3D);
}

/** [tokens, total]: -1e9 where a query may not look. */
function causal(tokens: number, total: number): tf.Tensor {
	const past = total - tokens;
	return tf.tensor(Float32Array.from({ length: tokens * total }, (_, i) => (i % total > past + Math.floor(i / total) ? -1e9 : 0)), [tokens, total]);
}
