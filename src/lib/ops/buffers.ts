/**
 * The one door for tensors that live long and are written in place. Everywhere else tensors are
 * immutable, as TensorFlow.js has it.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { throwDeviceErrors } from './errors.ts';
import { count } from './traffic.ts';

export type Numbers = Float32Array | Int32Array;

/**
 * A tensor that outlives tidies and has its memory at once, on the device alone, so that nothing of its
 * size is held twice. What it holds is not defined: write all of it before it is used.
 */
export function allocate(shape: number[], dtype: 'float32' | 'int32' = 'float32'): tf.Tensor {
	if (tf.getBackend() === 'cpu') return persistent(shape, dtype);
	if (tf.getBackend() === 'wasm') {
		return tf.keep(wasmOutput(shape, dtype));
	}
	return tf.keep(onDevice(shape, dtype));
}

/** On WebGPU: a tensor that has its buffer at once and holds anything; a tidy around it frees it. */
function onDevice(shape: number[], dtype: 'float32' | 'int32'): tf.Tensor {
	const info = webgpu().makeTensorInfo(shape, dtype);
	webgpu().uploadToGPU(info.dataId);
	return tf.engine().makeTensorFromTensorInfo(info);
}

/** On wasm: a tensor that has its memory at once and holds anything; a tidy around it frees it. */
export function wasmOutput(shape: number[], dtype: 'float32' | 'int32'): tf.Tensor {
	return tf.engine().makeTensorFromTensorInfo((tf.backend() as unknown as BackendWasm).makeOutput(shape, dtype));
}

/** A tensor of zeros that outlives tidies, on the device at once. Dispose it when done. */
export function persistent(shape: number[], dtype: 'float32' | 'int32' = 'float32'): tf.Tensor {
	const size = shape.reduce((a, b) => a * b, 1);
	return persistentFrom(dtype === 'int32' ? new Int32Array(size) : new Float32Array(size), shape);
}

/** Like `persistent`, with numbers. The array may be kept by the backend: do not write into it. */
export function persistentFrom(values: Numbers, shape: number[]): tf.Tensor {
	const tensor = tf.keep(tf.tensor(values, shape, values instanceof Int32Array ? 'int32' : 'float32'));
	if (tf.getBackend() === 'webgpu') {
		webgpu().uploadToGPU(tensor.dataId);
		forget(tensor);
	}
	return tensor;
}

/**
 * A tensor with these numbers that a tidy around it frees. On WebGPU they go up through the queue; the backend's own way
 * maps a buffer for every tensor, copies it and ends the pass that is being recorded.
 */
export function uploaded(values: Numbers, shape: number[]): tf.Tensor {
	const dtype = values instanceof Int32Array ? 'int32' : 'float32';
	if (tf.getBackend() !== 'webgpu' || values.length === 0) return tf.tensor(values, shape, dtype);
	const tensor = onDevice(shape, dtype);
	// Its buffer is new or was given back after a submission: nothing that is recorded uses it.
	webgpu().queue.writeBuffer(webgpu().tensorMap.get(tensor.dataId).resource as GPUBuffer, 0, values.buffer as ArrayBuffer, values.byteOffset, values.byteLength);
	return tensor;
}

/**
 * Overwrites `values.length` numbers of `tensor` from flat index `offset`, in place. Never a weight:
 * wasm packs the right side of a product once and would go on using what it packed.
 */
export function write(tensor: tf.Tensor, offset: number, values: Numbers): void {
	if (offset < 0 || offset + values.length > tensor.size) {
		throw new RangeError(`cannot write ${values.length} numbers at ${offset} into a tensor of ${tensor.size}`);
	}
	if (values.length === 0) return;
	count('written', values.byteLength);
	if (tf.getBackend() !== 'webgpu') {
		hostView(tensor).set(values, offset);
		return;
	}
	const backend = webgpu();
	backend.uploadToGPU(tensor.dataId);
	flush(backend);
	const buffer = backend.tensorMap.get(tensor.dataId).resource as GPUBuffer;
	backend.queue.writeBuffer(buffer, offset * 4, values.buffer as ArrayBuffer, values.byteOffset, values.byteLength);
	forget(tensor);
}

/** The numbers that the tensor holds now; never a copy that was cached before a write. Throws what the device reported. */
export async function read(tensor: tf.Tensor): Promise<Numbers> {
	count('read', 4 * tensor.size);
	if (tf.getBackend() !== 'webgpu') return hostView(tensor).slice() as Numbers;
	// Numbers that never went to the device exist only here: keep them.
	const onDevice = webgpu().tensorMap.get(tensor.dataId).resource !== undefined;
	if (onDevice) forget(tensor);
	const values = (await tensor.data()) as Numbers;
	if (onDevice) forget(tensor);
	throwDeviceErrors();
	return values;
}

/** On wasm and cpu: the tensor's own memory. Valid until the next allocation; do not keep it. */
export function hostView(tensor: tf.TensorInfo): Numbers {
	if (tf.getBackend() === 'wasm') {
		return (tf.backend() as unknown as BackendWasm).typedArrayFromHeap(tensor) as Numbers;
	}
	const cpu = tf.backend() as unknown as { data: { get(id: object): { values: Numbers } } };
	return cpu.data.get(tensor.dataId).values;
}

/** Drops a stale copy on the CPU side of a WebGPU tensor, after something wrote its buffer. */
export function forget(tensor: tf.TensorInfo): void {
	const data = webgpu().tensorMap.get(tensor.dataId);
	if (data.resource) (data as { values: unknown }).values = null;
}

/**
 * Gives freed buffers back to the device. The backend keeps every freed buffer, by exact size, for
 * ever; after runs with other lengths nothing asks for those sizes again. Does nothing on wasm and cpu.
 */
export function releaseFreed(): void {
	if (tf.getBackend() !== 'webgpu') return;
	const backend = webgpu();
	flush(backend);
	const manager = backend.bufferManager as unknown as FreeBuffers;
	for (const buffers of manager.freeBuffers.values()) {
		for (const buffer of buffers.splice(0)) {
			manager.numBytesAllocated -= buffer.size;
			manager.numFreeBuffers--;
			buffer.destroy();
		}
	}
}

/** What the backend's buffer manager keeps in private fields. */
interface FreeBuffers {
	freeBuffers: Map<string, GPUBuffer[]>;
	numFreeBuffers: number;
	numBytesAllocated: number;
}

/** Submits what the backend has recorded, so that a later queue write comes after it. */
function flush(backend: WebGPUBackend): void {
	// `submitQueue` fails without a pending encoder, and the field is private.
	if (!(backend as unknown as { commandEncoder: unknown }).commandEncoder) return;
	backend.endComputePassEncoder();
	backend.submitQueue();
}

function webgpu(): WebGPUBackend {
	return tf.backend() as unknown as WebGPUBackend;
}
