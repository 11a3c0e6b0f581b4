/**
 * Many small changes of persistent tensors, made at once: they are collected, uploaded together and
 * put in place with one dispatch a tensor. On wasm and cpu they are made on the spot.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { forget, hostView, persistent, write, type Numbers } from '../buffers.ts';
import { count } from '../traffic.ts';
import { flat, runProgram } from '../program.ts';
/** Changes that one upload takes. */
const ROOM = 16384;
const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

export class Scatter {
	/** Bits by flat index, for each tensor. */
	private readonly changes = new Map<tf.Tensor, Map<number, number>>();
	private staging: tf.Tensor | null = null;

	/** `tensor[index + i] = values[i]`, at the latest after `flush`. Of two changes of a number the later one counts. */
	put(tensor: tf.Tensor, index: number, values: ArrayLike<number>): void {
		if (index < 0 || index + values.length > tensor.size) {
			throw new RangeError(`cannot write ${values.length} numbers at ${index} into a tensor of ${tensor.size}`);
		}
		if (tf.getBackend() !== 'webgpu') {
			count('written', 4 * values.length);
			hostView(tensor).set(values, index);
			return;
		}
		let changes = this.changes.get(tensor);
		if (!changes) this.changes.set(tensor, (changes = new Map()));
		const isFloat = tensor.dtype === 'float32';
		for (let i = 0; i < values.length; i++) {
			if (isFloat) float[0] = values[i];
			changes.set(index + i, isFloat ? bits[0] : values[i]);
		}
	}

	/** Drops what waits for a tensor that is about to be written whole or disposed of. */
	drop(tensor: tf.Tensor): void {
		this.changes.delete(tensor);
	}

	/** Makes all changes. */
	flush(): void {
		let batch = new Batch();
		for (const [tensor, changes] of this.changes) {
			for (const [index, value] of changes) {
				if (batch.full) batch = this.send(batch);
				batch.add(tensor, index, value);
			}
			changes.clear();
		}
		this.send(batch);
	}

	dispose(): void {
		this.changes.clear();
		this.staging?.dispose();
		this.staging = null;
	}

	private send(batch: Batch): Batch {
		if (batch.count === 0) return batch;
		const staging = (this.staging ??= persistent([ROOM, 2], 'int32'));
		write(staging, 0, batch.pairs.subarray(0, 2 * batch.count) as Numbers);
		const backend = tf.backend() as unknown as WebGPUBackend;
		for (const { tensor, from, to } of batch.parts) place(backend, tensor, staging, from, to - from);
		return new Batch();
	}
}

/** What goes up together: pairs of index and bits, and whose they are. */
class Batch {
	count = 0;
	readonly parts: { tensor: tf.Tensor; from: number; to: number }[] = [];
	readonly pairs = pairsOfBatch;

	get full(): boolean {
		return this.count === ROOM;
	}

	add(tensor: tf.Tensor, index: number, value: number): void {
		let part = this.parts.at(-1);
		if (part?.tensor !== tensor) this.parts.push((part = { tensor, from: this.count, to: this.count }));
		this.pairs[2 * this.count] = index;
		this.pairs[2 * this.count + 1] = value;
		part.to = ++this.count;
	}
}

/** One array for all batches: an upload copies it before the next batch begins. */
const pairsOfBatch = new Int32Array(2 * ROOM);

function place(backend: WebGPUBackend, tensor: tf.Tensor, staging: tf.Tensor, from: number, count: number): void {
	const value = 'pairs[at + 1]';
	runProgram(backend, flat({
		key: `scatter_${tensor.dtype}`,
		inputs: [['pairs', staging]],
		result: tensor,
		ints: { first: from },
		size: count,
		body: () => `
	let at = 2 * (uniforms.first + i);
	result[pairs[at]] = ${tensor.dtype === 'float32' ? `bitcast<f32>(${value})` : value};`
	}));
	forget(tensor);
}
