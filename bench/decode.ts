/**
 * How long the embedded model takes: node scripts/run-ts.mjs bench/decode.ts [--model DIR]
 * [--backend wasm,cpu,webgpu] [--context 550] [--rows 1,9] [--steps 20]
 * Prints medians by the clock and, since other work may share the machine, by processor time of this
 * process (all its threads), and says on what they were measured. Times under a software WebGPU adapter say
 * nothing about graphics hardware; the number of dispatches does.
 */
import { existsSync } from 'node:fs';
import { arch, cpus, platform } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import type { EngineInfo } from '../src/lib/documents/trace.ts';
import { loadModel, PlainMemory, type Decoder } from '../src/lib/model/index.ts';
import { HF_RANDOM, randomLlama } from '../src/lib/model/random-llama.ts';
import { dispatchCount, openBackend, read } from '../src/lib/ops/index.ts';

/** The shape of nano, for a checkout that has no weights yet. */
const SHAPE = {
	architectures: ['LlamaForCausalLM'], vocab_size: 4096, hidden_size: 256, intermediate_size: 512, num_hidden_layers: 8,
	num_attention_heads: 8, num_key_value_heads: 4, head_dim: 32, max_position_embeddings: 2048, rope_theta: 10000, tie_word_embeddings: true
};

export async function main(args: string[]): Promise<void> {
	const option = (name: string, fallback: string) => (args.includes(name) ? args[args.indexOf(name) + 1] : fallback);
	const model = option('--model', 'static/models/nano');
	const context = Number(option('--context', '550'));
	const steps = Number(option('--steps', '20'));
	const rows = option('--rows', '1,9').split(',').map(Number);
	const real = existsSync(`${model}/model.safetensors`);
	console.log(`Measured on ${cpus()[0]?.model.trim()} (${cpus().length} visible), ${platform()} ${arch()}, Node ${process.version}.`);
	console.log(real ? `Model: ${model}.` : `No weights in ${model}: random weights of the shape of nano.`);
	for (const backend of option('--backend', 'wasm,cpu,webgpu').split(',') as EngineInfo['backend'][]) {
		try {
			const engine = await openBackend(backend);
			console.log(`\n${backend}: ${engine.adapter}${engine.software ? ' (software adapter: its times say nothing about a GPU)' : ''}`);
			const loaded = await loadModel(real ? model : randomLlama(SHAPE, HF_RANDOM), engine);
			await prefill(loaded.decoder, context);
			for (const batch of rows) await decode(loaded.decoder, batch, context, steps);
			loaded.dispose();
		} catch (error) {
			console.log(`${backend}: not measured: ${(error as Error).message}`);
		}
	}
}

async function prefill(decoder: Decoder, context: number): Promise<void> {
	const ids = Int32Array.from({ length: context }, (_, i) => 2 + ((i * 37) % (decoder.shape.vocab - 2)));
	const times: Time[] = [];
	// The first run compiles; it is not counted.
	for (let i = 0; i < 4; i++) {
		const memory = new PlainMemory(decoder.shape, 1, context);
		const from = now();
		const { logits } = await decoder.forward(ids, { batch: 1, tokens: context, start: Int32Array.of(0) }, memory);
		await read(logits);
		if (i > 0) times.push(since(from));
		logits.dispose();
		memory.dispose();
	}
	console.log(`  prefill of ${context} tokens: ${words(times)}`);
}

async function decode(decoder: Decoder, batch: number, context: number, steps: number): Promise<void> {
	const memory = new PlainMemory(decoder.shape, batch, context + steps + 4);
	memory.length = context;
	const times: Time[] = [];
	let dispatches = 0;
	const tensors = tf.memory().numTensors;
	for (let i = 0; i < steps + 2; i++) {
		const from = now();
		const before = dispatchCount();
		const { logits } = await decoder.forward(new Int32Array(batch).fill(7), { batch, tokens: 1, start: new Int32Array(batch).fill(context + i) }, memory);
		await read(logits);
		logits.dispose();
		dispatches = dispatchCount() - before;
		if (i > 1) times.push(since(from));
	}
	const leaked = tf.memory().numTensors - tensors;
	memory.dispose();
	const count = dispatches > 0 ? `, ${dispatches} dispatches` : '';
	console.log(`  decode, ${batch} ${batch === 1 ? 'row' : 'rows'}, about ${context} slots, a token: ${words(times)}${count}${leaked ? `, ${leaked} tensors leaked` : ''}`);
}

interface Time {
	clock: number;
	processor: number;
}

function now(): Time {
	const { user, system } = process.cpuUsage();
	return { clock: performance.now(), processor: (user + system) / 1000 };
}

function since(from: Time): Time {
	const { clock, processor } = now();
	return { clock: clock - from.clock, processor: processor - from.processor };
}

function words(times: Time[]): string {
	const of = (key: keyof Time) => median(times.map((time) => time[key])).toFixed(1);
	return `${of('clock')} ms (${of('processor')} ms of processor time)`;
}

function median(numbers: number[]): number {
	const sorted = numbers.slice().sort((a, b) => a - b);
	return sorted[Math.floor(sorted.length / 2)];
}
