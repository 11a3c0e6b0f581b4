/** Many tensors read with one wait for the device. */
import * as tf from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { hostView } from './buffers.ts';
import { throwDeviceErrors } from './errors.ts';
import { count } from './traffic.ts';

/** Some neighbouring numbers of a tensor. */
export interface Piece {
	tensor: tf.Tensor;
	/** Flat index of the first, and how many. */
	from: number;
	size: number;
}

/**
 * Numbers of float tensors or pieces of them, in order; they stay alive. On WebGPU all are copied into one staging buffer,
 * without a kernel and without a tensor of their joint size. Throws what the device reported.
 */
export async function readMany(wanted: (tf.Tensor | Piece)[]): Promise<Float32Array[]> {
	const pieces = wanted.map((one) => ('tensor' in one ? one : { tensor: one, from: 0, size: one.size }));
	const size = 4 * pieces.reduce((sum, piece) => sum + piece.size, 0);
	if (size === 0) return pieces.map(() => new Float32Array(0));
	count('read', size);
	if (tf.getBackend() !== 'webgpu') return pieces.map(({ tensor, from, size }) => hostView(tensor).slice(from, from + size) as Float32Array);
	const backend = tf.backend() as unknown as WebGPUBackend;
	for (const { tensor } of pieces) backend.uploadToGPU(tensor.dataId);
	const staging = backend.bufferManager.acquireBuffer(size, GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ) as GPUBuffer;
	const encoder = encoderOf(backend);
	let to = 0;
	for (const { tensor, from, size } of pieces) {
		if (size > 0) encoder.copyBufferToBuffer(backend.tensorMap.get(tensor.dataId).resource as GPUBuffer, 4 * from, staging, to, 4 * size);
		to += 4 * size;
	}
	backend.submitQueue();
	await staging.mapAsync(GPUMapMode.READ);
	const all = new Float32Array(staging.getMappedRange().slice(0));
	staging.unmap();
	backend.bufferManager.releaseBuffer(staging);
	throwDeviceErrors();
	let next = 0;
	return pieces.map(({ size }) => all.subarray(next, (next += size)));
}

/** The backend's own encoder, so that what it has recorded comes before the copies. The field is private. */
function encoderOf(backend: WebGPUBackend): GPUCommandEncoder {
	backend.ensureCommandEncoderReady();
	backend.endComputePassEncoder();
	return (backend as unknown as { commandEncoder: GPUCommandEncoder }).commandEncoder;
}
