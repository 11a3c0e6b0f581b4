/**
 * Compiled kernels of a device with the bind groups and uniform buffers that were made for them. A decode step
 * asks for the same kernels over the same buffers again and again; making a bind group and a uniform buffer each
 * time, as the backend's own way of running a program does, costs more than all else of a dispatch.
 */
import { SmallBuffers } from './small-buffers.ts';

/** A storage buffer as a kernel declares it. */
export interface Binding {
	name: string;
	/** WGSL type of an element. */
	type: string;
}

export interface Source {
	/** Written first, the others in order. */
	results: Binding[];
	inputs: Binding[];
	/** Names of the uniforms: 4 bytes each. */
	ints: string[];
	floats: string[];
	/** Threads of a workgroup. */
	threads: number;
	/** WGSL with `fn main()`. */
	code: string;
}

export interface Pipeline {
	pipeline: GPUComputePipeline;
	layout: GPUBindGroupLayout;
	uniforms: SmallBuffers;
	groups: Map<string, GPUBindGroup>;
}

/** Bind groups of a kernel that are kept. */
const MOST = 1024;

const pipelines = new WeakMap<GPUDevice, Map<string, Pipeline>>();

/** The kernel called `key`, compiled when it is first asked for. Errors show as the device's uncaptured errors. */
export function pipelineOf(device: GPUDevice, key: string, describe: () => Source): Pipeline {
	let known = pipelines.get(device);
	if (!known) pipelines.set(device, (known = new Map()));
	let found = known.get(key);
	if (!found) known.set(key, (found = compile(device, key, describe())));
	return found;
}

/** A uniform buffer with these numbers, for a command that is recorded in `encoder`. */
export function uniformsOf(device: GPUDevice, { uniforms }: Pipeline, encoder: GPUCommandEncoder, ints: number[], floats: number[]): GPUBuffer {
	return uniforms.take(device, `${ints}|${floats}`, encoder, 4 * (ints.length + floats.length), () => {
		const bytes = new ArrayBuffer(4 * (ints.length + floats.length));
		new Int32Array(bytes, 0, ints.length).set(ints);
		new Float32Array(bytes, 4 * ints.length, floats.length).set(floats);
		return bytes;
	});
}

const lists = new WeakMap<GPUDevice, SmallBuffers>();

/** A storage buffer with these int32 numbers, likewise: a step tells every layer of the same places. */
export function listOf(device: GPUDevice, encoder: GPUCommandEncoder, values: Int32Array): GPUBuffer {
	let known = lists.get(device);
	if (!known) lists.set(device, (known = new SmallBuffers(GPUBufferUsage.STORAGE)));
	return known.take(device, values.join(), encoder, values.byteLength, () => values);
}

/** The bind group of these buffers, in the order of bindings. */
export function groupOf(device: GPUDevice, { groups, layout }: Pipeline, buffers: GPUBuffer[]): GPUBindGroup {
	let key = '';
	for (const buffer of buffers) key += `${numberOf(buffer)},`;
	let group = groups.get(key);
	if (group) return group;
	group = device.createBindGroup({ layout, entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })) });
	if (groups.size >= MOST) groups.delete(groups.keys().next().value!);
	groups.set(key, group);
	return group;
}

const numbers = new WeakMap<GPUBuffer, number>();
let count = 0;

function numberOf(buffer: GPUBuffer): number {
	let number = numbers.get(buffer);
	if (number === undefined) numbers.set(buffer, (number = count++));
	return number;
}

function compile(device: GPUDevice, label: string, source: Source): Pipeline {
	const module = device.createShaderModule({ label, code: textOf(source) });
	const pipeline = device.createComputePipeline({ label, layout: 'auto', compute: { module, entryPoint: 'start' } });
	return { pipeline, layout: pipeline.getBindGroupLayout(0), uniforms: new SmallBuffers(GPUBufferUsage.UNIFORM), groups: new Map() };
}

function textOf({ results, inputs, ints, floats, threads, code }: Source): string {
	const storage = (access: string, first: number) => ({ name, type }: Binding, i: number) =>
		`@group(0) @binding(${first + i}) var<storage, ${access}> ${name}: array<${type}>;`;
	const fields = [...ints.map((name) => `${name}: i32,`), ...floats.map((name) => `${name}: f32,`)];
	const uniforms = `struct Uniforms { ${fields.join(' ')} }\n@group(0) @binding(${results.length + inputs.length}) var<uniform> uniforms: Uniforms;`;
	return [
		'var<private> localId: vec3<u32>;', 'var<private> workgroupId: vec3<u32>;', 'var<private> numWorkgroups: vec3<u32>;',
		...results.map(storage('read_write', 0)), ...inputs.map(storage('read', results.length)), ...(fields.length > 0 ? [uniforms] : []),
		code,
		`@compute @workgroup_size(${threads})
fn start(@builtin(local_invocation_id) local: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
	localId = local;
	workgroupId = group;
	numWorkgroups = groups;
	main();
}`
	].join('\n');
}
