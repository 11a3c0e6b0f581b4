/** onnxruntime-web: its WebGPU build for WebGPU, its plain build for wasm. The cache stays on the device. */
import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { past, longs } from './feeds.ts';
import type { LlamaConfig } from './onnx/llama.ts';
import type { Answer, Contestant, Filling, Job, Opened, Step } from '../page/contestant.ts';

type Ort = typeof import('onnxruntime-web');

export class OnnxRuntime implements Contestant {
	private ort!: Ort;
	private session!: InferenceSession;
	private config!: LlamaConfig;
	private cache: Record<string, Tensor> = {};
	private length = 0;
	private rows = 1;

	async open({ backend, model, threads }: Job): Promise<Opened> {
		const gpu = backend === 'webgpu';
		this.ort = (gpu ? await import('onnxruntime-web/webgpu') : await import('onnxruntime-web/wasm')) as unknown as Ort;
		const { env, InferenceSession } = this.ort;
		const build = gpu ? 'ort-wasm-simd-threaded.asyncify' : 'ort-wasm-simd-threaded';
		env.wasm.wasmPaths = { mjs: `${location.origin}/ort/${build}.mjs`, wasm: `${location.origin}/ort/${build}.wasm` };
		env.wasm.numThreads = threads;
		this.config = await (await fetch(`${model}/config.json`)).json();
		const layers = Array.from({ length: this.config.num_hidden_layers }, (_, l) => [`present.${l}.key`, `present.${l}.value`]).flat();
		this.session = await InferenceSession.create(`${model}/onnx/model.onnx`, {
			executionProviders: [backend],
			externalData: [{ path: 'model.onnx_data', data: `${model}/onnx/model.onnx_data` }],
			graphOptimizationLevel: 'all',
			...(gpu ? { preferredOutputLocation: Object.fromEntries(layers.map((name) => [name, 'gpu-buffer' as const])) } : {})
		});
		const adapter = gpu ? await adapterWords(env.webgpu as unknown as { adapter?: GPUAdapter; device?: Promise<GPUDevice> }) : 'CPU, WebAssembly';
		return { engine: `onnxruntime-web ${env.versions.web}`, adapter, ...(gpu ? {} : { threads: env.wasm.numThreads }) };
	}

	async prefill(ids: number[]): Promise<Answer> {
		await this.fill({ context: 0, rows: 1 });
		return this.run(ids);
	}

	async fill({ context, rows }: Filling): Promise<void> {
		for (const tensor of Object.values(this.cache)) tensor.dispose();
		this.cache = Object.fromEntries(past(this.config, context, rows).map(({ name, dims, numbers }) => [name, new this.ort.Tensor('float32', numbers, dims)]));
		this.length = context;
		this.rows = rows;
	}

	step({ id }: Step): Promise<Answer> {
		return this.run([id]);
	}

	private async run(ids: number[]): Promise<Answer> {
		const { ort, rows } = this;
		const all = Array.from({ length: rows }, () => ids).flat();
		const total = this.length + ids.length;
		const feeds: Record<string, Tensor> = {
			input_ids: new ort.Tensor('int64', BigInt64Array.from(all, BigInt), [rows, ids.length]),
			attention_mask: new ort.Tensor('int64', longs(rows * total, 1), [rows, total]),
			...this.cache
		};
		const { logits, ...present } = await this.session.run(feeds);
		const numbers = (await logits.getData()) as Float32Array;
		for (const tensor of Object.values(this.cache)) tensor.dispose();
		this.cache = Object.fromEntries(Object.entries(present).map(([name, tensor]) => [name.replace('present', 'past_key_values'), tensor]));
		this.length = total;
		return { logits: numbers };
	}
}

async function adapterWords({ adapter, device }: { adapter?: GPUAdapter; device?: Promise<GPUDevice> }): Promise<string> {
	const info = adapter?.info ?? (await device)?.adapterInfo;
	return info ? info.description || [info.vendor, info.architecture].filter(Boolean).join(' ') : 'WebGPU';
}
