/** A full cache and nothing else: every key and value stays. For tests, benches and reference runs. */
import * as tf from '@tensorflow/tfjs-core';
import type { ModelShape } from '$lib/documents/trace.ts';
import { appendSlots, attention, persistent, persistentFrom, write } from '$lib/ops/index.ts';
import type { LayerInput, Memory } from './types.ts';

export class PlainMemory implements Memory {
	/** Tokens stored so far. */
	length = 0;
	private readonly keys: tf.Tensor[];
	private readonly values: tf.Tensor[];
	private readonly bias: tf.Tensor;
	private readonly places: number;

	constructor(private readonly shape: Pick<ModelShape, 'layers' | 'kvHeads' | 'headDim'>, private readonly batch: number, private readonly capacity: number) {
		const { layers, kvHeads, headDim } = shape;
		const cache = () => Array.from({ length: layers }, () => persistent([batch, kvHeads, capacity, headDim]));
		this.keys = cache();
		this.values = cache();
		this.places = batch * kvHeads;
		this.bias = persistentFrom(new Float32Array(this.places * capacity).fill(-1e30), [batch, kvHeads, capacity]);
	}

	attend({ layer, query, key, value, pass }: LayerInput): tf.Tensor {
		const at = new Int32Array(this.places).fill(this.length);
		const [keys, values] = [this.keys[layer], this.values[layer]];
		appendSlots(keys, values, key, value, at);
		const { out } = attention(query, keys, values, this.bias, at, { outOnly: true });
		// The pass's own places count with bias 0 by themselves; from the next pass on the bias says so.
		if (layer === this.shape.layers - 1) this.advance(pass.tokens);
		return out;
	}

	dispose(): void {
		tf.dispose([...this.keys, ...this.values, this.bias]);
	}

	private advance(tokens: number): void {
		this.length += tokens;
		const row = new Float32Array(this.capacity).fill(-1e30).fill(0, 0, this.length);
		const all = new Float32Array(this.places * this.capacity);
		for (let i = 0; i < this.places; i++) all.set(row, i * this.capacity);
		write(this.bias, 0, all);
	}
}
