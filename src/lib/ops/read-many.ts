/** Many tensors read with one wait for the device, or few. */
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

/** Numbers that one staging buffer takes, unless a single piece is longer. */
const MOST = 1 << 24;

/**
 * Numbers of float tensors or pieces of them, in order, each in an array of its own; they stay alive. On WebGPU all are
 * copied into one staging buffer (into several when they are long), without a kernel and without a tensor of their joint
 * size. Throws what the device reported.
 */
export async function readMany(wanted: (tf.Tensor | Piece)[]): Promise<Float32Array[]> {
	const pieces = wanted.map((one) => ('tensor' in one ? one : { tensor: one, from: 0, size: one.size }));
	count('read', 4 * sizeOf(pieces));
	if (tf.getBackend() !== 'webgpu') return pieces.map(({ tensor, from, size }) => hostView(tensor).slice(from, from + size) as Float32Array);
	const numbers: Float32Array[] = [];
	for (let from = 0; from < pieces.length; ) {
		let to = from + 1;
		let size = pieces[from].size;
		while (to < pieces.length && size + pieces[to].size <= MOST) size += pieces[to++].size;
		numbers.push(...(await readTogether(pieces.slice(from, to))));
		from = to;
	}
	return numbers;
}

const sizeOf = (pieces: Piece[]) => pieces.reduce((sum, { size }) => sum + size, 0);

async function readTogether(pieces: Piece[]): Promise<Float32Array[]> {
	const size = 4 * sizeOf(pieces);
	if (size === 0) return pieces.map(() => new Float32Array(0));
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
	const all = new Float32Array(staging.getMappedRange());
	let next = 0;
	const numbers = pieces.map(({ size }) => all.slice(next, (next += size)));
	staging.unmap();
	backend.bufferManager.releaseBuffer(staging);
	throwDeviceErrors();
	return numbers;
}

/** The backend's own encoder, so that what it has recorded comes before the copies. The field is private. */
function encoderOf(backend: WebGPUBackend): GPUCommandEncoder {
	backend.ensureCommandEncoderReady();
	backend.endComputePassEncoder();
	return (backend as unknown as { commandEncoder: GPUCommandEncoder }).commandEncoder;
}
