/**
 * Runs one WGSL kernel among the commands of TensorFlow.js' WebGPU backend: its device, its tensors, its encoder
 * and its order, but compiled kernels and bind groups of our own. The key holds every templated constant.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { groupOf, listOf, pipelineOf, uniformsOf, type Binding } from './pipelines.ts';

export interface Kernel {
	/** Names the source: same key, same source. */
	key: string;
	/** Inputs in binding order: name, tensor or small list of integers, and components of an element (1: f32, 4: vec4<f32>). */
	inputs: [name: string, input: TensorInfo | Int32Array, components?: 1 | 4][];
	/** Shape of a new result, or an existing tensor that is written in place. */
	result: number[] | TensorInfo;
	/** Further results by name, likewise. */
	more?: [name: string, result: number[] | TensorInfo][];
	/** Of new results; and components of an element of every result. */
	dtype?: 'float32' | 'int32';
	components?: 1 | 4;
	/** Integer uniforms, then float uniforms, by name. */
	ints?: Record<string, number>;
	floats?: Record<string, number>;
	/** Workgroups in x, y, z. */
	groups: [number, number, number];
	/** Threads of a workgroup (x only). */
	threads: number;
	/**
	 * Writes WGSL with `fn main()`; in scope: `result`, the inputs, `uniforms.*`, `localId`, `workgroupId`, `numWorkgroups`. Called
	 * when the source is compiled, not for every dispatch.
	 */
	code: () => string;
}

/** A kernel with a thread for each of `size` numbers. */
export interface FlatKernel extends Omit<Kernel, 'groups' | 'threads' | 'code'> {
	size: number;
	/** WGSL functions that the body calls. */
	functions?: string;
	/** WGSL of one thread; in scope too: its number `i`, and `uniforms.size`. */
	body: () => string;
}

const FLAT_THREADS = 64;

/** Workgroups of such a kernel are folded into y beyond the limit of x. */
export function flat({ size, ints, functions = '', body, ...kernel }: FlatKernel): Kernel {
	const groups = Math.max(1, Math.ceil(size / FLAT_THREADS));
	const x = Math.min(groups, 32768);
	return {
		...kernel, ints: { ...ints, size }, groups: [x, Math.ceil(groups / x), 1], threads: FLAT_THREADS,
		code: () => `${functions}
fn main() {
	let i = i32((workgroupId.y * numWorkgroups.x + workgroupId.x) * ${FLAT_THREADS}u + localId.x);
	if (i >= uniforms.size) { return; }
	${body()}
}`
	};
}

/**
 * WGSL that takes a flat index apart: `let name = …;` for each axis, outermost first. Sizes are WGSL
 * expressions; the outermost axis needs none.
 */
export function coordinates(index: string, outermost: string, ...axes: [name: string, size: string][]): string {
	let rest = index;
	const lines = axes.toReversed().map(([name, size]) => {
		const line = `let ${name} = ${rest} % ${size};`;
		rest = `${rest} / ${size}`;
		return line;
	});
	return [...lines, `let ${outermost} = ${rest};`].join(' ');
}

/** WGSL that does something for `name` = 0 … count - 1. */
export type Over = (name: string, count: number, body: (index: string) => string) => string;

/** Statement after statement: slow to compile when there are many. */
export const writtenOut: Over = (_, count, body) => Array.from({ length: count }, (_, i) => body(String(i))).join(' ');

export const looped: Over = (name, count, body) => `for (var ${name} = 0; ${name} < ${count}; ${name}++) { ${body(name)} }`;

let dispatches = 0;

/** Kernels of ours dispatched so far; benches take differences. */
export function dispatchCount(): number {
	return dispatches;
}

/** What the backend keeps in private fields. */
interface Recording {
	computePassEncoder: GPUComputePassEncoder | null;
	commandEncoder: GPUCommandEncoder;
	/** Tensors that recorded commands use: given back after they were submitted. */
	commandQueueOwnedIds: WeakSet<object>;
	dispatchCountInPass: number;
}

/** The first result; see `runForResults` for several. */
export function runProgram(backend: WebGPUBackend, kernel: Kernel): TensorInfo {
	return runForResults(backend, kernel)[0];
}

/** Records the kernel and gives its results, in order. */
export function runForResults(backend: WebGPUBackend, kernel: Kernel): TensorInfo[] {
	const { device } = backend;
	const { key, inputs, components = 1, dtype = 'float32', threads } = kernel;
	const wanted: [string, number[] | TensorInfo][] = [['result', kernel.result], ...(kernel.more ?? [])];
	const results = wanted.map(([, result]) => (Array.isArray(result) ? backend.makeTensorInfo(result, dtype) : result));
	if (tf.util.sizeFromShape(results[0].shape) === 0) return results.map((result) => empty(backend, result));
	dispatches++;

	const recording = backend as unknown as Recording;
	const encoder = () => {
		backend.ensureCommandEncoderReady();
		return recording.commandEncoder;
	};
	const buffers: GPUBuffer[] = [];
	let whole = `${key}${components === 4 ? '_4' : '_1'}`;
	for (const result of results) buffers.push(bufferOf(backend, result));
	for (const [, input, own] of inputs) {
		buffers.push(input instanceof Int32Array ? listOf(device, encoder(), input) : bufferOf(backend, input));
		whole += LETTERS[typeOf(input, own)];
	}
	const { ints = {}, floats = {} } = kernel;
	const pipeline = pipelineOf(device, whole, () => ({
		results: wanted.map(([name], i): Binding => ({ name, type: typeOf(results[i], components) })),
		inputs: inputs.map(([name, tensor, own]): Binding => ({ name, type: typeOf(tensor, own) })),
		ints: Object.keys(ints), floats: Object.keys(floats), threads, code: kernel.code()
	}));
	if (kernel.ints || kernel.floats) buffers.push(uniformsOf(device, pipeline, encoder(), Object.values(ints), Object.values(floats)));

	const pass = (recording.computePassEncoder ??= encoder().beginComputePass());
	pass.setPipeline(pipeline.pipeline);
	pass.setBindGroup(0, groupOf(device, pipeline, buffers));
	pass.dispatchWorkgroups(...kernel.groups);
	for (const { dataId } of results) recording.commandQueueOwnedIds.add(dataId);
	for (const [, input] of inputs) if ('dataId' in input) recording.commandQueueOwnedIds.add(input.dataId);
	if (++recording.dispatchCountInPass >= tf.env().getNumber('WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE')) {
		backend.endComputePassEncoder();
		backend.submitQueue();
	}
	return results;
}

const LETTERS = { f32: 'f', i32: 'i', 'vec4<f32>': 'F', 'vec4<i32>': 'I' } as const;

function typeOf(of: TensorInfo | Int32Array, components: 1 | 4 = 1): keyof typeof LETTERS {
	const whole = of instanceof Int32Array || of.dtype === 'int32';
	return components === 4 ? (whole ? 'vec4<i32>' : 'vec4<f32>') : whole ? 'i32' : 'f32';
}

function bufferOf(backend: WebGPUBackend, { dataId }: TensorInfo): GPUBuffer {
	const data = backend.tensorMap.get(dataId);
	if (!data.resource) backend.uploadToGPU(dataId);
	return data.resource as GPUBuffer;
}

/** Nothing to compute. */
function empty(backend: WebGPUBackend, result: TensorInfo): TensorInfo {
	(backend.tensorMap.get(result.dataId) as { values: unknown }).values = tf.util.getTypedArrayFromDType(result.dtype as 'float32', 0);
	return result;
}
