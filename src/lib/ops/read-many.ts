/** Many tensors read with one wait for the device. */
import * as tf from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { hostView } from './buffers.ts';
import { throwDeviceErrors } from './errors.ts';
import { count } from './traffic.ts';

/**
 * Numbers of float tensors, in order; they stay alive. On WebGPU all are copied into one staging buffer,
 * without a kernel and without a tensor of their joint size. Throws what the device reported.
 */
export async function readMany(tensors: tf.Tensor[]): Promise<Float32Array[]> {
	if (tensors.length === 0) return [];
	const size = 4 * tensors.reduce((sum, tensor) => sum + tensor.size, 0);
	count('read', size);
	if (tf.getBackend() !== 'webgpu') return tensors.map((tensor) => hostView(tensor).slice() as Float32Array);
	const backend = tf.backend() as unknown as WebGPUBackend;
	for (const { dataId } of tensors) backend.uploadToGPU(dataId);
	const staging = backend.bufferManager.acquireBuffer(size, GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ) as GPUBuffer;
	const encoder = encoderOf(backend);
	let to = 0;
	for (const tensor of tensors) {
		encoder.copyBufferToBuffer(backend.tensorMap.get(tensor.dataId).resource as GPUBuffer, 0, staging, to, 4 * tensor.size);
		to += 4 * tensor.size;
	}
	backend.submitQueue();
	await staging.mapAsync(GPUMapMode.READ);
	const all = new Float32Array(staging.getMappedRange().slice(0));
	staging.unmap();
	backend.bufferManager.releaseBuffer(staging);
	throwDeviceErrors();
	let next = 0;
	return tensors.map((tensor) => all.subarray(next, (next += tensor.size)));
}

/** The backend's own encoder, so that what it has recorded comes before the copies. The field is private. */
function encoderOf(backend: WebGPUBackend): GPUCommandEncoder {
	backend.ensureCommandEncoderReady();
	backend.endComputePassEncoder();
	return (backend as unknown as { commandEncoder: GPUCommandEncoder }).commandEncoder;
}
