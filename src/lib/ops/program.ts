/**
 * Runs one WGSL kernel through the WebGPU backend of TensorFlow.js. The program object is built
 * afresh for every call (the backend rewrites its key), and the key holds every templated constant.
 */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';

export interface Kernel {
	/** Names the source: same key, same source. */
	key: string;
	/** Inputs in binding order: name, tensor, and components of an element (1: f32, 4: vec4<f32>). */
	inputs: [name: string, tensor: TensorInfo, components?: 1 | 4][];
	/** Shape of a new result, or an existing tensor that is written in place. */
	result: number[] | TensorInfo;
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

/** Workgroups of a one-dimensional kernel over `size` items, folded into y beyond the limit of x. */
export function flatGroups(size: number, threads: number): [number, number, number] {
	const groups = Math.max(1, Math.ceil(size / threads));
	const x = Math.min(groups, 32768);
	return [x, Math.ceil(groups / x), 1];
}

/** WGSL for the index of a thread under `flatGroups`. */
export const flatIndex = (threads: number) =>
	`i32((workgroupId.y * numWorkgroups.x + workgroupId.x) * ${threads}u + localId.x)`;

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

export function runProgram(backend: WebGPUBackend, kernel: Kernel): TensorInfo {
	dispatches++;
	const existing = Array.isArray(kernel.result) ? undefined : kernel.result;
	const shape = existing ? existing.shape : (kernel.result as number[]);
	const ints = Object.entries(kernel.ints ?? {});
	const floats = Object.entries(kernel.floats ?? {});
	const uniforms = [...ints.map(([name]) => `${name} : i32,`), ...floats.map(([name]) => `${name} : f32,`)].join(' ');
	const program = {
		variableNames: kernel.inputs.map(([name]) => name),
		variableComponents: kernel.inputs.map(([, , components]) => components ?? 1),
		outputComponent: kernel.components ?? 1,
		outputShape: shape,
		// A layout with y makes `main` take no index: kernels compute their own.
		dispatchLayout: { x: [1], y: [0], z: [] },
		dispatch: kernel.groups,
		workgroupSize: [kernel.threads, 1, 1] as [number, number, number],
		shaderKey: `winnow_${kernel.key}`,
		uniforms: uniforms || undefined,
		getUserCode: kernel.code
	};
	return backend.runWebGPUProgram(
		program,
		kernel.inputs.map(([, tensor]) => tensor),
		kernel.dtype ?? 'float32',
		[
			...ints.map(([, value]) => ({ type: 'int32', data: [value] })),
			...floats.map(([, value]) => ({ type: 'float32', data: [value] }))
		],
		existing
	);
}

/** A small integer input that lives for one kernel; dispose it with `backend.disposeData`. */
export function integers(backend: WebGPUBackend, values: ArrayLike<number>): TensorInfo {
	return backend.makeTensorInfo([values.length], 'int32', Int32Array.from(values));
}
