/** Winnow itself, through the doors that its lab uses. */
import * as tf from '@tensorflow/tfjs-core';
import { ArmCache, DeviceMemory, PrefillMemory, uniformCodec } from '$lib/cache/index.ts';
import { rotation } from '$lib/numerics/rope.ts';
import { loadModel, type LoadedModel } from '$lib/model/index.ts';
import { openBackend, read, releaseFreed, type WeightFormat } from '$lib/ops/index.ts';
import { cacheNumbers } from './cache.ts';
import { withThreads } from './threads.ts';
import type { Answer, Contestant, Filling, Job, Opened, Step } from './contestant.ts';

/** Places kept for the steps that are measured. */
const ROOM = 384;
/** Last tokens that stay exact in a cache of few bits, as with KIVI. */
const EXACT = 32;

export class Ours implements Contestant {
	private model!: LoadedModel;
	private readonly memories = new Map<string, DeviceMemory>();

	/** Option `format`: what the weights are rounded to. */
	async open({ backend, model, threads, options }: Job): Promise<Opened> {
		const engine = backend === 'wasm' ? await withThreads(threads, () => openBackend(backend)) : await openBackend(backend);
		this.model = await loadModel(model, engine, undefined, undefined, { format: options?.format as WeightFormat | undefined });
		return { engine: `Winnow on TensorFlow.js ${tf.version_core}`, adapter: engine.adapter, ...('threads' in engine ? { threads: engine.threads as number } : {}) };
	}

	async prefill(ids: number[]): Promise<Answer> {
		const { decoder, shape } = this.model;
		// As the lab reads a prompt; keys and values stay on the device.
		const memory = new PrefillMemory(shape, ids.length);
		const from = performance.now();
		const { logits } = await decoder.forward(Int32Array.from(ids), memory.pass(), memory);
		const encode = performance.now() - from;
		const numbers = (await read(logits)) as Float32Array;
		logits.dispose();
		memory.dispose();
		return { logits: numbers, encode };
	}

	async fill({ context, rows, slot = '', bits }: Filling): Promise<void> {
		this.memories.get(slot)?.dispose();
		releaseFreed();
		const { shape, decoder } = this.model;
		const numbers = (which: 'key' | 'value') => (layer: number) => cacheNumbers(which, layer, shape.kvHeads * context * shape.headDim);
		const first = ArmCache.fromPrompt({ shape, n: context, keys: numbers('key'), values: numbers('value'), rope: rotation(decoder.invFreq) });
		if (bits) encode(first, context - EXACT, bits);
		const arms = [first, ...Array.from({ length: rows - 1 }, () => first.fork())];
		this.memories.set(slot, new DeviceMemory(arms, context + ROOM));
	}

	async step({ id, slot = '', transient }: Step): Promise<Answer> {
		const memory = this.memories.get(slot)!;
		const from = performance.now();
		const pass = memory.begin(transient ? 'transient' : 'append');
		const { logits } = await this.model.decoder.forward(new Int32Array(pass.batch).fill(id), pass, memory);
		const encode = performance.now() - from;
		const { logits: numbers } = await memory.finishWith(logits);
		logits.dispose();
		return { logits: numbers, encode };
	}
}

/** The first `count` tokens as codes: keys per channel, values per token, groups of 32, as with KIVI. */
function encode(arm: ArmCache, count: number, bits: number): void {
	const slots = Array.from({ length: count }, (_, slot) => slot);
	for (const layer of arm.layers) {
		for (let head = 0; head < arm.shape.kvHeads; head++) {
			layer.encode(head, 'K', slots, uniformCodec({ bits, axis: 'channel', group: 32 }));
			layer.encode(head, 'V', slots, uniformCodec({ bits, axis: 'token', group: 32 }));
		}
	}
}
