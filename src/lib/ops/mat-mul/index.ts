/**
 * Products with weights. A weight knows its layout: [outputs, inputs] on WebGPU and cpu, where one
 * sum reads along the inputs, and [inputs, outputs] on wasm, the only form that is fast there.
 */
import * as tf from '@tensorflow/tfjs-core';
import { persistentFrom } from '../buffers.ts';
import { registerOp, runOp, type Inputs } from '../kernel.ts';
import { stock } from './stock.ts';
import { webgpu } from './kernel.wgsl.ts';

registerOp({ name: 'WinnowMatMul', webgpu, stock });

export interface Weight {
	tensor: tf.Tensor;
	inputs: number;
	outputs: number;
	/** True when `tensor` is [outputs, inputs]. */
	rowMajorOutputs: boolean;
}

/** A weight on the present backend from numbers as Hugging Face stores them, [outputs, inputs]. */
export function makeWeight(data: Float32Array, outputs: number, inputs: number): Weight {
	if (data.length !== outputs * inputs) {
		throw new RangeError(`a weight of ${outputs} x ${inputs} cannot be made of ${data.length} numbers`);
	}
	const rowMajorOutputs = tf.getBackend() !== 'wasm';
	const tensor = rowMajorOutputs
		? persistentFrom(data, [outputs, inputs])
		: persistentFrom(transposed(data, outputs, inputs), [inputs, outputs]);
	return { tensor, inputs, outputs, rowMajorOutputs };
}

/** What is added to a product. */
export interface Added {
	/** [rows, outputs]: a residual. */
	plus?: tf.Tensor;
	/** [outputs], the same for every row. */
	bias?: tf.Tensor;
}

/** `x` [rows, inputs] -> [rows, outputs]: x W^T + bias + plus. Throws RangeError when the shapes do not fit. */
export function matMul(x: tf.Tensor, weight: Weight, { plus, bias }: Added = {}): tf.Tensor {
	if (x.shape[x.shape.length - 1] !== weight.inputs) {
		throw new RangeError(`${x.shape.join(' x ')} does not fit a weight of ${weight.outputs} x ${weight.inputs}`);
	}
	if (bias && bias.size !== weight.outputs) throw new RangeError(`a bias of ${bias.size} does not fit ${weight.outputs} outputs`);
	const inputs: Inputs = { x, w: weight.tensor, ...(plus ? { plus } : {}), ...(bias ? { bias } : {}) };
	return runOp('WinnowMatMul', inputs, { rowMajorOutputs: weight.rowMajorOutputs });
}

/** [rows, columns] -> [columns, rows], in blocks so that both sides stay in the CPU's cache. */
export function transposed(data: Float32Array, rows: number, columns: number): Float32Array {
	const out = new Float32Array(data.length);
	const block = 32;
	for (let r0 = 0; r0 < rows; r0 += block) {
		for (let c0 = 0; c0 < columns; c0 += block) {
			const r1 = Math.min(rows, r0 + block);
			const c1 = Math.min(columns, c0 + block);
			for (let r = r0; r < r1; r++) {
				for (let c = c0; c < c1; c++) out[c * rows + r] = data[r * columns + c];
			}
		}
	}
	return out;
}
