/**
 * Compiled kernels of a device with the bind groups and uniform buffers that were made for them. A decode step
 * asks for the same kernels over the same buffers again and again; making a bind group and a uniform buffer each
 * time, as the backend's own way of running a program does, costs more than all else of a dispatch.
 */

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
	uniforms: Map<string, GPUBuffer>;
	groups: Map<string, GPUBindGroup>;
}

/** Small buffers, and bind groups of a kernel, that are kept: many times what is recorded before it is submitted. */
const MOST = 512;

const pipelines = new WeakMap<GPUDevice, Map<string, Pipeline>>();

/** The kernel called `key`, compiled when it is first asked for. Errors show as the device's uncaptured errors. */
export function pipelineOf(device: GPUDevice, key: string, describe: () => Source): Pipeline {
	let known = pipelines.get(device);
	if (!known) pipelines.set(device, (known = new Map()));
	let found = known.get(key);
	if (!found) known.set(key, (found = compile(device, key, describe())));
	return found;
}

/** A uniform buffer with these numbers: never written again, so commands that are not yet submitted may go on using it. */
export function uniformsOf(device: GPUDevice, { uniforms }: Pipeline, ints: number[], floats: number[]): GPUBuffer {
	const key = `${ints}|${floats}`;
	let buffer = uniforms.get(key);
	if (buffer) return buffer;
	const bytes = new ArrayBuffer(paddedTo16(4 * (ints.length + floats.length)));
	new Int32Array(bytes, 0, ints.length).set(ints);
	new Float32Array(bytes, 4 * ints.length, floats.length).set(floats);
	buffer = filled(device, bytes, GPUBufferUsage.UNIFORM);
	remember(uniforms, key, buffer);
	return buffer;
}

const lists = new WeakMap<GPUDevice, Map<string, GPUBuffer>>();

/** A storage buffer with these int32 numbers, likewise: a step tells every layer of the same places. */
export function listOf(device: GPUDevice, values: Int32Array): GPUBuffer {
	let known = lists.get(device);
	if (!known) lists.set(device, (known = new Map()));
	const key = values.join();
	let buffer = known.get(key);
	if (buffer) return buffer;
	buffer = filled(device, values, GPUBufferUsage.STORAGE);
	remember(known, key, buffer);
	return buffer;
}

/** Written through the queue, which is before all that is recorded now; a mapped buffer would take a copy and its own pass. */
function filled(device: GPUDevice, data: ArrayBuffer | Int32Array, usage: number): GPUBuffer {
	const buffer = device.createBuffer({ size: Math.max(4, data.byteLength), usage: usage | GPUBufferUsage.COPY_DST });
	device.queue.writeBuffer(buffer, 0, data as ArrayBuffer);
	return buffer;
}

/** The bind group of these buffers, in the order of bindings. */
export function groupOf(device: GPUDevice, { groups, layout }: Pipeline, buffers: GPUBuffer[]): GPUBindGroup {
	let key = '';
	for (const buffer of buffers) key += `${numberOf(buffer)},`;
	let group = groups.get(key);
	if (group) return group;
	group = device.createBindGroup({ layout, entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })) });
	remember(groups, key, group);
	return group;
}

/** In place of the oldest, when there are many. What is recorded now is younger than that. */
function remember<T extends GPUBuffer | GPUBindGroup>(all: Map<string, T>, key: string, value: T): void {
	if (all.size >= MOST) {
		const [oldest, gone] = all.entries().next().value!;
		all.delete(oldest);
		if ('destroy' in gone) gone.destroy();
	}
	all.set(key, value);
}

const numbers = new WeakMap<GPUBuffer, number>();
let count = 0;

function numberOf(buffer: GPUBuffer): number {
	let number = numbers.get(buffer);
	if (number === undefined) numbers.set(buffer, (number = count++));
	return number;
}

const paddedTo16 = (bytes: number) => Math.ceil(bytes / 16) * 16;

function compile(device: GPUDevice, label: string, source: Source): Pipeline {
	const module = device.createShaderModule({ label, code: textOf(source) });
	const pipeline = device.createComputePipeline({ label, layout: 'auto', compute: { module, entryPoint: 'start' } });
	return { pipeline, layout: pipeline.getBindGroupLayout(0), uniforms: new Map(), groups: new Map() };
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
