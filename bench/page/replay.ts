/**
 * What a step of ours would cost if JavaScript cost nothing, and the least that a device takes: the dispatches of one
 * step, noted down and given to WebGPU again as they are. Slot '': those dispatches. Slot 'empty': as many of a kernel
 * that adds 1 to one number, each of which has to wait for the one before. Slot 'weights': every weight read once.
 */
import * as tf from '@tensorflow/tfjs-core';
import { profile } from '$lib/ops/index.ts';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Answer, Detail, Filling, Job, Opened, Step } from './contestant.ts';
import { watch } from './counters.ts';
import { Ours } from './ours.ts';

interface Dispatch {
	pipeline: GPUComputePipeline;
	group: GPUBindGroup;
	workgroups: [number, number?, number?];
}

/** Bytes that one dispatch reads, in vec4s of a thread. */
const BLOCK = 1 << 26;
const THREADS = 256;
const EACH = 16;
/** Tokens of the prompt whose kernels are told. */
const PROMPT = 256;

export class Replay extends Ours {
	private device!: GPUDevice;
	private weightBytes = 0;
	private readonly turns = new Map<string, Dispatch[]>();
	private logits!: GPUBuffer;
	private staging!: GPUBuffer;

	override async open(job: Job): Promise<Opened> {
		const opened = await super.open(job);
		this.device = (tf.backend() as unknown as WebGPUBackend).device;
		this.weightBytes = tf.memory().numBytes;
		return opened;
	}

	override async fill(filling: Filling): Promise<void> {
		await super.fill(filling);
		await super.step({ id: 1, transient: true });
		const { dispatches, copies } = await noted(() => super.step({ id: 1, transient: true }));
		const [logits, bytes] = copies.at(-1)!;
		this.logits = logits;
		this.staging = this.device.createBuffer({ size: bytes, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
		this.turns.set('', dispatches);
		this.turns.set('empty', new Array<Dispatch>(dispatches.length).fill(this.addOne()));
		this.turns.set('weights', this.readAll());
	}

	override async step({ slot = '' }: Step): Promise<Answer> {
		const from = performance.now();
		this.submit(this.turns.get(slot)!, 1, true);
		const encode = performance.now() - from;
		await this.staging.mapAsync(GPUMapMode.READ);
		const logits = new Float32Array(this.staging.getMappedRange().slice(0));
		this.staging.unmap();
		return { logits, encode };
	}

	/** Each kernel's dispatches of a step, alone and over and over; on a GPU those of a prompt, too (software would take minutes). */
	async detail(): Promise<Detail[]> {
		const details = await this.kernels('step', this.turns.get('')!);
		if (profile() === 'software') return details;
		const prompt = Array.from({ length: PROMPT }, (_, i) => i % 250);
		await super.prefill(prompt);
		const { dispatches } = await noted(() => super.prefill(prompt));
		return [...details, ...(await this.kernels('prefill', dispatches))];
	}

	private async kernels(of: Detail['of'], all: Dispatch[]): Promise<Detail[]> {
		const kernels = new Map<string, Dispatch[]>([['(all)', all]]);
		for (const dispatch of all) {
			const { label } = dispatch.pipeline;
			kernels.set(label, [...(kernels.get(label) ?? []), dispatch]);
		}
		const details: Detail[] = [];
		for (const [label, dispatches] of kernels) {
			await this.time(dispatches, 1);
			const repeats = Math.max(1, Math.min(50, Math.round(200 / (await this.time(dispatches, 1)))));
			details.push({ of, label, dispatches: dispatches.length, ms: (await this.time(dispatches, repeats)) / repeats });
		}
		return details;
	}

	private async time(dispatches: Dispatch[], repeats: number): Promise<number> {
		const from = performance.now();
		this.submit(dispatches, repeats, false);
		await this.device.queue.onSubmittedWorkDone();
		return performance.now() - from;
	}

	private submit(dispatches: Dispatch[], repeats: number, read: boolean): void {
		const encoder = this.device.createCommandEncoder();
		const pass = encoder.beginComputePass();
		for (let repeat = 0; repeat < repeats; repeat++) {
			for (const { pipeline, group, workgroups } of dispatches) {
				pass.setPipeline(pipeline);
				pass.setBindGroup(0, group);
				pass.dispatchWorkgroups(...workgroups);
			}
		}
		pass.end();
		if (read) encoder.copyBufferToBuffer(this.logits, 0, this.staging, 0, this.staging.size);
		this.device.queue.submit([encoder.finish()]);
	}

	private addOne(): Dispatch {
		return this.dispatchOf('@group(0) @binding(0) var<storage, read_write> x: array<f32>; @compute @workgroup_size(1) fn main() { x[0] += 1.0; }', [16], [1]);
	}

	/** As many buffers as hold all weights, each read whole. */
	private readAll(): Dispatch[] {
		const code = `@group(0) @binding(0) var<storage, read_write> out: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<vec4<f32>>;
@compute @workgroup_size(${THREADS}) fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
	var sum = vec4<f32>(0.0);
	for (var i = 0u; i < ${EACH}u; i++) { sum += w[(group.x * ${EACH}u + i) * ${THREADS}u + lane]; }
	if (sum.x + sum.y + sum.z + sum.w == 12345.0) { out[0] = 1.0; }
}`;
		const count = Math.ceil(this.weightBytes / BLOCK);
		return Array.from({ length: count }, (_, i) => {
			const piece = THREADS * EACH * 16;
			const bytes = Math.ceil(Math.min(BLOCK, this.weightBytes - i * BLOCK) / piece) * piece;
			return this.dispatchOf(code, [16, bytes], [bytes / piece]);
		});
	}

	private dispatchOf(code: string, sizes: number[], workgroups: [number]): Dispatch {
		const { device } = this;
		const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module: device.createShaderModule({ code }), entryPoint: 'main' } });
		const entries = sizes.map((size, binding) => ({ binding, resource: { buffer: device.createBuffer({ size, usage: GPUBufferUsage.STORAGE }) } }));
		return { pipeline, group: device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }), workgroups };
	}
}

/** What `run` records of dispatches, and of copies between buffers (source and bytes). */
async function noted(run: () => Promise<unknown>): Promise<{ dispatches: Dispatch[]; copies: [GPUBuffer, number][] }> {
	const dispatches: Dispatch[] = [];
	const copies: [GPUBuffer, number][] = [];
	let pipeline: GPUComputePipeline;
	let group: GPUBindGroup;
	const undo = [
		watch(GPUComputePassEncoder.prototype, 'setPipeline', (_, [one]: [GPUComputePipeline]) => (pipeline = one)),
		watch(GPUComputePassEncoder.prototype, 'setBindGroup', (_, [, one]: [number, GPUBindGroup]) => (group = one)),
		watch(GPUComputePassEncoder.prototype, 'dispatchWorkgroups', (_, workgroups: Dispatch['workgroups']) => dispatches.push({ pipeline, group, workgroups })),
		watch(GPUCommandEncoder.prototype, 'copyBufferToBuffer', (_, args: [GPUBuffer, number, GPUBuffer, number, number]) => copies.push([args[0], args[4]]))
	];
	try {
		await run();
	} finally {
		for (const each of undo) each();
	}
	return { dispatches, copies };
}
