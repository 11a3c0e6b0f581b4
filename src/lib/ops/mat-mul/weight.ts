/** Weights on the device: their layout, their format, and what they hold. */
import * as tf from '@tensorflow/tfjs-core';
import { allocate, hostView, read, write } from '../buffers.ts';
import { fittingFormat, GROUP, pack, PACKINGS, unpack, type WeightFormat } from './formats.ts';

/**
 * A weight knows its layout: [outputs, inputs] on WebGPU and cpu, where one sum reads along the inputs,
 * and [inputs, outputs] on wasm, the only form that is fast there.
 */
export interface Weight {
	inputs: number;
	outputs: number;
	/** What its numbers were rounded to. Only WebGPU keeps them packed. */
	format: WeightFormat;
	/** f32 numbers, or [outputs, words a row] of int32 where it is packed. */
	tensor: tf.Tensor;
	/** [outputs, inputs / 32] where it is packed as int8 or int4. */
	scales?: tf.Tensor;
	/** All its tensors, for disposal. */
	tensors: tf.Tensor[];
	/** True when `tensor` is [outputs, …]. */
	rowMajorOutputs: boolean;
	/** Bytes on the device. */
	bytes: number;
}

/** Outputs from..to of a matrix as [to - from, inputs], as Hugging Face stores them. */
export type Rows = (from: number, to: number) => Float32Array;

/** Numbers that are turned into a format at a time. */
const SLAB = 1 << 20;

/** `makeWeightFromRows` of numbers that are all there, [outputs, inputs]. */
export function makeWeight(data: Float32Array, outputs: number, inputs: number, format: WeightFormat = 'f32'): Weight {
	if (data.length !== outputs * inputs) {
		throw new RangeError(`a weight of ${outputs} x ${inputs} cannot be made of ${data.length} numbers`);
	}
	return makeWeightFromRows((from, to) => data.subarray(from * inputs, to * inputs), outputs, inputs, format);
}

/**
 * A weight on the present backend, asked for a few rows at a time and in order, so that a large matrix is
 * never held twice. Rows that do not fit `format` take f16, then f32 (see `fittingFormat`). On wasm and
 * cpu the tensor is f32 whatever the format: its numbers are rounded to the format once, here, so that
 * results agree with WebGPU's for the same format. Throws RangeError if `rows` gives too few or too many.
 */
export function makeWeightFromRows(rows: Rows, outputs: number, inputs: number, format: WeightFormat = 'f32'): Weight {
	const fitting = fittingFormat(format, inputs);
	const weight = empty(outputs, inputs, fitting);
	const step = Math.max(1, Math.floor(SLAB / inputs));
	try {
		for (let from = 0; from < outputs; from += step) {
			const to = Math.min(outputs, from + step);
			const numbers = rows(from, to);
			if (numbers.length !== (to - from) * inputs) {
				throw new RangeError(`outputs ${from} to ${to} of a weight with ${inputs} inputs came as ${numbers.length} numbers`);
			}
			fill(weight, from, numbers);
		}
	} catch (error) {
		tf.dispose(weight.tensors);
		throw error;
	}
	return weight;
}

function empty(outputs: number, inputs: number, format: WeightFormat): Weight {
	const packed = tf.getBackend() === 'webgpu' && format !== 'f32';
	const rowMajorOutputs = tf.getBackend() !== 'wasm';
	const columns = packed ? inputs / PACKINGS[format].perWord : inputs;
	const tensor = allocate(rowMajorOutputs ? [outputs, columns] : [columns, outputs], packed ? 'int32' : 'float32');
	const scales = packed && PACKINGS[format].scaled ? allocate([outputs, inputs / GROUP]) : undefined;
	const tensors = scales ? [tensor, scales] : [tensor];
	return { inputs, outputs, format, tensor, ...(scales ? { scales } : {}), tensors, rowMajorOutputs, bytes: tensors.reduce((sum, { size }) => sum + 4 * size, 0) };
}

/** Rows from `from` on. */
function fill({ tensor, scales, inputs, outputs, format, rowMajorOutputs }: Weight, from: number, numbers: Float32Array): void {
	if (tensor.dtype === 'int32') {
		const packed = pack(numbers, inputs, format);
		write(tensor, (from * inputs) / PACKINGS[format].perWord, packed.words);
		if (scales) write(scales, (from * inputs) / GROUP, packed.scales!);
		return;
	}
	const rounded = format === 'f32' ? numbers : unpack(pack(numbers, inputs, format), format);
	if (rowMajorOutputs) write(tensor, from * inputs, rounded);
	// Nothing was multiplied yet, so wasm has not packed it either.
	else transpose(rounded, numbers.length / inputs, inputs, hostView(tensor) as Float32Array, outputs, from);
}

/** Outputs from..to of a weight, [to - from, inputs], whatever its layout and format on the device. */
export async function readWeight({ tensor, scales, inputs, outputs, format, rowMajorOutputs }: Weight, from = 0, to = outputs): Promise<Float32Array> {
	const numbers = await read(tensor);
	if (!rowMajorOutputs) return transposed(numbers as Float32Array, inputs, outputs).slice(from * inputs, to * inputs);
	if (tensor.dtype !== 'int32') return (numbers as Float32Array).slice(from * inputs, to * inputs);
	const part = <T extends Float32Array | Int32Array>(all: T, per: number) => all.subarray((from * inputs) / per, (to * inputs) / per) as T;
	const scale = scales ? part((await read(scales)) as Float32Array, GROUP) : undefined;
	return unpack({ words: part(numbers as Int32Array, PACKINGS[format].perWord), ...(scale ? { scales: scale } : {}) }, format);
}

/** [rows, columns] -> [columns, rows]. */
export function transposed(data: Float32Array, rows: number, columns: number): Float32Array {
	const out = new Float32Array(data.length);
	transpose(data, rows, columns, out, rows, 0);
	return out;
}

/** Writes `data` [rows, columns] as columns `first` … of `out`, whose rows are `stride` long; in blocks that stay in the CPU's cache. */
function transpose(data: Float32Array, rows: number, columns: number, out: Float32Array, stride: number, first: number): void {
	const block = 32;
	for (let r0 = 0; r0 < rows; r0 += block) {
		for (let c0 = 0; c0 < columns; c0 += block) {
			const r1 = Math.min(rows, r0 + block);
			const c1 = Math.min(columns, c0 + block);
			for (let r = r0; r < r1; r++) {
				for (let c = c0; c < c1; c++) out[c * stride + first + r] = data[r * columns + c];
			}
		}
	}
}
