/** transformers.js: the same ONNX graph, loaded from this machine alone, run by its own model class. */
import { AutoModelForCausalLM, DynamicCache, Tensor, env, pipeline, type PreTrainedModel } from '@huggingface/transformers';
import { past, longs } from './feeds.ts';
import type { LlamaConfig } from './onnx/llama.ts';
import type { Answer, Contestant, Filling, Job, Opened, Step } from '../page/contestant.ts';

export class TransformersJs implements Contestant {
	private model!: PreTrainedModel;
	private config!: LlamaConfig;
	private cache!: Cache;
	private length = 0;

	async open({ backend, model, threads }: Job): Promise<Opened> {
		const { pathname } = new URL(model, location.href);
		const cut = pathname.lastIndexOf('/');
		const [root, id] = [pathname.slice(0, cut + 1), pathname.slice(cut + 1)];
		env.allowRemoteModels = false;
		env.allowLocalModels = true;
		env.localModelPath = root;
		env.useBrowserCache = false;
		env.useWasmCache = false;
		const wasm = env.backends.onnx.wasm!;
		const build = 'ort-wasm-simd-threaded.asyncify';
		wasm.wasmPaths = { mjs: `${location.origin}/transformers-ort/${build}.mjs`, wasm: `${location.origin}/transformers-ort/${build}.wasm` };
		wasm.numThreads = threads;
		this.config = await (await fetch(`${model}/config.json`)).json();
		const options = { dtype: 'fp32', device: backend, local_files_only: true } as const;
		this.model = await AutoModelForCausalLM.from_pretrained(id, options);
		const versions = (env.backends.onnx as { versions?: { web?: string } }).versions;
		return {
			engine: `transformers.js ${env.version} (onnxruntime-web ${versions?.web ?? 'of its own'})`,
			adapter: backend === 'wasm' ? 'CPU, WebAssembly' : 'WebGPU',
			...(backend === 'wasm' ? { threads: wasm.numThreads } : {}),
			// Loaded once more for this; on a software adapter that takes minutes.
			...(backend === 'wasm' ? { note: await generates(id, options) } : {})
		};
	}

	async prefill(ids: number[]): Promise<Answer> {
		await this.fill({ context: 0, rows: 1 });
		return this.run(ids);
	}

	async fill({ context, rows }: Filling): Promise<void> {
		if (rows !== 1) throw new Error('transformers.js is run with one row');
		await this.cache?.dispose();
		this.cache = new DynamicCache(Object.fromEntries(past(this.config, context, 1).map(({ name, dims, numbers }) => [name, new Tensor('float32', numbers, dims)]))) as Cache;
		this.length = context;
	}

	step({ id }: Step): Promise<Answer> {
		return this.run([id]);
	}

	private async run(ids: number[]): Promise<Answer> {
		const total = this.length + ids.length;
		const outputs = await this.model.forward({
			input_ids: new Tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]),
			attention_mask: new Tensor('int64', longs(total, 1), [1, total]),
			past_key_values: this.cache
		});
		const { logits, ...present } = outputs as Record<string, InstanceType<typeof Tensor>>;
		this.cache.update(Object.fromEntries(Object.entries(present).map(([name, tensor]) => [name.replace('present', 'past_key_values'), tensor])));
		this.length = total;
		return { logits: logits.data as Float32Array };
	}
}

interface Cache {
	update(entries: Record<string, unknown>): void;
	dispose(): Promise<void>;
}

/** Whether its pipeline writes text without a network, in words. */
async function generates(id: string, options: object): Promise<string> {
	try {
		const generator = await pipeline('text-generation', id, options as never);
		const [{ generated_text: text }] = (await generator('once', { max_new_tokens: 2, do_sample: false } as never)) as unknown as [{ generated_text: string }];
		await generator.dispose();
		return text.startsWith('once') ? 'its text-generation pipeline ran offline' : `its pipeline answered without the prompt: ${JSON.stringify(text)}`;
	} catch (error) {
		return `its text-generation pipeline could not be run offline: ${(error as Error).message}`;
	}
}
