/**
 * One layer's attention alone, on WebGPU: a cache in float32 against the same number of tokens kept as
 * codes and read as codes. No model; `context` is a multiple of 32, `bits` is left out for float32.
 */
import * as tf from '@tensorflow/tfjs-core';
import { fixtureNormal } from '$lib/numerics/fixture.ts';
import { attention, openBackend, persistentFrom, read } from '$lib/ops/index.ts';
import { attentionPacked, type Bits, type PackedFormat, type PackedSegment } from '$lib/ops/attention-packed/index.ts';
import { packedScene, side } from '$lib/ops/attention-packed/testing.ts';
import type { LlamaConfig } from '../peers/onnx/llama.ts';
import type { Answer, Contestant, Filling, Job, Opened, Step } from './contestant.ts';

/** Layers a turn, so that one reading back does not outweigh them. */
const LAYERS = 30;
const PAGE = 32;

export class Attention implements Contestant {
	private config!: LlamaConfig;
	private readonly slots = new Map<string, () => tf.Tensor>();

	async open({ backend, model }: Job): Promise<Opened> {
		const { adapter } = await openBackend(backend);
		this.config = await (await fetch(`${model}/config.json`)).json();
		return { engine: `attention of one layer, ${LAYERS} times a turn`, adapter };
	}

	prefill(): Promise<Answer> {
		throw new Error('attention alone reads no prompt');
	}

	async fill({ context, rows, slot = '', bits }: Filling): Promise<void> {
		const { num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: headDim } = this.config;
		const normal = (name: string, ...shape: number[]) => persistentFrom(fixtureNormal(name, shape.reduce((a, b) => a * b, 1)), shape);
		const query = normal('query', rows, heads, 1, headDim);
		if (!bits) {
			const [keys, values] = ['keys', 'values'].map((name) => normal(name, rows, kvHeads, context, headDim));
			const bias = persistentFrom(new Float32Array(rows * kvHeads * context), [rows, kvHeads, context]);
			const at = new Int32Array(rows * kvHeads).fill(context - 1);
			this.slots.set(slot, () => attention(query, keys, values, bias, at, { outOnly: true }).out);
			return;
		}
		const format: PackedFormat = { headDim, rows: PAGE, key: side(bits as Bits, 'channel', PAGE), value: side(bits as Bits, 'token', PAGE) };
		const pages = new Array<number>(rows * kvHeads).fill(context / PAGE);
		const { pool, scatter } = packedScene({ batch: rows, heads, kvHeads, tokens: 1, format, pages, seed: 'bench' });
		// The scene hides some rows; here every row is read, as in the float32 cache.
		pages.forEach((count, head) => {
			for (let place = 0; place < count * PAGE; place++) pool.setBias(head, Math.floor(place / PAGE), place % PAGE, 0);
		});
		const segment = pool.segment() as PackedSegment;
		scatter.flush();
		this.slots.set(slot, () => attentionPacked(query, [segment], { outOnly: true }).out);
	}

	async step({ slot = '' }: Step): Promise<Answer> {
		const run = this.slots.get(slot)!;
		const from = performance.now();
		let out: tf.Tensor | null = null;
		for (let layer = 0; layer < LAYERS; layer++) {
			out?.dispose();
			out = run();
		}
		const encode = performance.now() - from;
		const logits = (await read(out!)) as Float32Array;
		out!.dispose();
		return { logits, encode };
	}
}
