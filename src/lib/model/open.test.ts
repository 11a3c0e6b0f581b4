import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { EngineInfo } from '$lib/documents/trace.ts';
import { halfBits, roundToHalf } from '$lib/numerics/half.ts';
import { openBackend } from '$lib/ops/index.ts';
import { ModelError } from './error.ts';
import { prefillLogits } from './conformance.ts';
import { ggufOf } from './gguf/testing.ts';
import { loadModel, loadTokenizer } from './load.ts';
import { openModel } from './open.ts';
import { HF_RANDOM, memorySource, randomLlama, writeSafetensors } from './random-llama.ts';
import { readSafetensors, toFloat32, type StoredTensor } from './safetensors.ts';
import { filesSource, type ModelSource } from './source.ts';

let engine: EngineInfo;
const dir = mkdtempSync(join(tmpdir(), 'winnow-'));
beforeAll(async () => { engine = await openBackend('cpu'); });
afterAll(() => rmSync(dir, { recursive: true }));

const llama = {
	architectures: ['LlamaForCausalLM'], vocab_size: 258, hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2,
	num_attention_heads: 4, num_key_value_heads: 2, head_dim: 16, max_position_embeddings: 64, rms_norm_eps: 1e-5, eos_token_id: 1
};
const CONFIGS: Record<string, Record<string, unknown>> = {
	llama, qwen2: { ...llama, architectures: ['Qwen2ForCausalLM'], tie_word_embeddings: true }, qwen3: { ...llama, architectures: ['Qwen3ForCausalLM'] },
	gpt2: { architectures: ['GPT2LMHeadModel'], vocab_size: 258, n_embd: 32, n_head: 4, n_layer: 2, n_positions: 64, eos_token_id: 1 }
};
const ids = [0, 70, 71, 200, 5];

async function parts(source: ModelSource) {
	const stored = [...readSafetensors((await source.bytes('model.safetensors'))!, 'x').values()];
	const { model } = (await source.json('tokenizer.json')) as { model: { vocab: Record<string, number> } };
	const tensors = stored.map((tensor) => ({ name: tensor.name, shape: tensor.shape, numbers: toFloat32(tensor) }));
	const tokens = Object.entries(model.vocab).sort(([, a], [, b]) => a - b).map(([token]) => token);
	return { stored, tensors, tokens };
}
async function logitsOf(source: string | ModelSource, text?: string): Promise<Float32Array> {
	const model = await loadModel(source, engine);
	const logits = await prefillLogits(model.decoder, text === undefined ? ids : model.tokenizer.encode(text));
	model.dispose();
	return logits;
}

describe.each(Object.entries(CONFIGS))('a GGUF file of %s', (name, config) => {
	it('computes what the same weights as safetensors compute', async () => {
		const source = randomLlama(config, HF_RANDOM);
		const { tensors, tokens } = await parts(source);
		const file = join(dir, `${name}.gguf`);
		writeFileSync(file, new Uint8Array(ggufOf(config, tokens, tensors)));
		expect(await logitsOf(file)).toEqual(await logitsOf(source));
		expect(await logitsOf(file, 'aé!')).toEqual(await logitsOf(source, 'aé!'));
	});

	it('computes with quantized weights what their numbers compute', async () => {
		const { tensors, tokens } = await parts(randomLlama(config, HF_RANDOM));
		const rounded = tensors.map((tensor) => (tensor.shape.length === 2 ? { ...tensor, ...toQ8(tensor.numbers) } : tensor));
		const gguf = new Blob([ggufOf(config, tokens, rounded, (numbers, shape) =>
			(shape.length === 2 ? { type: 8, bytes: toQ8(numbers).bytes } : { type: 0, bytes: new Uint8Array(numbers.slice().buffer) }))]);
		// GPT-2's matrices are stored the other way round, so other numbers share a scale.
		if (name === 'gpt2') return expect((await logitsOf(filesSource('q', { 'q.gguf': gguf }))).every(Number.isFinite)).toBe(true);
		const stored = rounded.map(({ name, shape, numbers }): StoredTensor => ({ name, dtype: 'F32', shape, bytes: new Uint8Array(numbers.buffer) }));
		const same = memorySource('same', { 'config.json': config, 'tokenizer.json': await randomLlama(config, HF_RANDOM).json('tokenizer.json') }, writeSafetensors(stored));
		expect(await logitsOf(filesSource('q', { 'q.gguf': gguf }))).toEqual(await logitsOf(same));
	});
});

/** Blocks of Q8_0, and the numbers that they stand for. Numbers that already are such stay as they are. */
function toQ8(numbers: Float32Array): { bytes: Uint8Array; numbers: Float32Array } {
	const bytes = new Uint8Array((numbers.length / 32) * 34);
	const back = new Float32Array(numbers.length);
	for (let block = 0; block < numbers.length / 32; block++) {
		const own = numbers.subarray(32 * block, 32 * block + 32);
		const scale = roundToHalf(own.reduce((most, n) => Math.max(most, Math.abs(n)), 0) / 127);
		new DataView(bytes.buffer).setUint16(34 * block, halfBits(scale), true);
		own.forEach((n, i) => {
			const code = Math.max(-127, Math.min(127, Math.round(n / scale)));
			bytes[34 * block + 2 + i] = code & 255;
			back[32 * block + i] = scale * code;
		});
	}
	return { bytes, numbers: back };
}

describe('a model of several files', () => {
	const source = randomLlama(llama, HF_RANDOM);
	const blob = (json: unknown) => new Blob([JSON.stringify(json)]);
	async function sharded(change: (map: Record<string, string>, files: Record<string, Blob>) => void = () => {}): Promise<ModelSource> {
		const { stored } = await parts(source);
		const halves = [stored.slice(0, 8), stored.slice(8)];
		const map = Object.fromEntries(halves.flatMap((half, i) => half.map(({ name }) => [name, `model-${i}.safetensors`])));
		const files: Record<string, Blob> = {
			'config.json': blob(llama), 'tokenizer.json': blob(await source.json('tokenizer.json')), 'chat_template.jinja': new Blob(['{{ messages[0].content }}!']),
			...Object.fromEntries(halves.map((half, i) => [`model-${i}.safetensors`, new Blob([writeSafetensors(half)])]))
		};
		change(map, files);
		files['model.safetensors.index.json'] ??= blob({ weight_map: map });
		return filesSource('dropped', files);
	}

	it('is read part by part, tensor by tensor, counting bytes', async () => {
		const seen: [number, number][] = [];
		const model = await loadModel(await sharded(), engine, ({ loaded, total }) => seen.push([loaded, total]));
		expect(await prefillLogits(model.decoder, ids)).toEqual(await logitsOf(source));
		expect(model.shape.id).toBe('dropped');
		expect(model.chat!.apply([{ role: 'user', content: 'Hi' }])).toBe('Hi!');
		expect(seen.length).toBeGreaterThan(10);
		expect(seen.every(([loaded, total], i) => loaded <= total && (i === 0 || loaded > seen[i - 1][0]))).toBe(true);
		model.dispose();
	});

	it('never reads a whole file at once', async () => {
		const files = await sharded();
		const sizes: number[] = [];
		const spied: ModelSource = { ...files, open: async (name) => {
			const file = await files.open!(name);
			return file && { ...file, bytes: (from, to) => { sizes.push(to - from); return file.bytes(from, to); } };
		} };
		const opened = await openModel(spied);
		const tensors = await opened.tensors();
		for (const name of tensors.names()) await tensors.tensor(name);
		const largest = (await parts(source)).stored.map((tensor) => tensor.bytes.length).reduce((a, b) => Math.max(a, b));
		expect(Math.max(...sizes)).toBe(largest);
	});

	it('stops when aborted, and leaves nothing on the device', async () => {
		const before = tf.memory().numTensors;
		const stop = new AbortController();
		const load = loadModel(await sharded(), engine, ({ loaded, total }) => { if (loaded > total / 2) stop.abort(new Error('stop')); }, stop.signal);
		await expect(load).rejects.toThrow('stop');
		expect(tf.memory().numTensors).toBe(before);
	});

	it.each<[string, Parameters<typeof sharded>[0], string]>([
		['a part that is not there', (_, files) => { delete files['model-1.safetensors']; }, 'model-1.safetensors, which model.safetensors.index.json names, is not at dropped.'],
		['a tensor in the wrong part', (map) => { map['model.norm.weight'] = 'model-0.safetensors'; }, 'model-0.safetensors has no tensor model.norm.weight, although'],
		['a part elsewhere', (map) => { map['model.norm.weight'] = '../model-1.safetensors'; }, 'is said to be in "../model-1.safetensors", which is no name of a safetensors file'],
		['an index that names itself', (map) => { map['model.norm.weight'] = 'model.safetensors.index.json'; }, 'which is no name of a safetensors file'],
		['a part that is an index', (_, files) => { files['model-1.safetensors'] = new Blob(['{"weight_map":{}}']); }, 'model-1.safetensors is no safetensors file, or it is cut off'],
		['an index of numbers', (_, files) => { files['model.safetensors.index.json'] = blob({ weight_map: { a: 1 } }); }, 'a is said to be in 1, which is no name'],
		['an index without a map', (_, files) => { files['model.safetensors.index.json'] = blob({}); }, 'weight_map of model.safetensors.index.json does not hold a JSON object.'],
		['an empty map', (_, files) => { files['model.safetensors.index.json'] = blob({ weight_map: {} }); }, 'speaks of 2 layers, but there are only 0 tensors'],
		['a billion layers', (_, files) => { files['config.json'] = blob({ ...llama, num_hidden_layers: 1e9 }); }, 'speaks of 1000000000 layers'],
		['more layers than tensors', (_, files) => { files['config.json'] = blob({ ...llama, num_hidden_layers: 1000 }); }, 'speaks of 1000 layers, but there are only'],
		['a tokenizer that is a list', (_, files) => { files['tokenizer.json'] = blob([]); }, 'tokenizer.json does not hold a JSON object.']
	])('is refused with %s', async (_, change, message) => {
		const broken = await sharded(change);
		await expect(loadModel(broken, engine)).rejects.toThrow(ModelError);
		await expect(loadModel(broken, engine)).rejects.toThrow(message);
	});
});

describe('where a model may lie', () => {
	afterEach(() => { vi.unstubAllGlobals(); });

	it('is a path or an address of a .gguf file', async () => {
		const source = randomLlama(llama, HF_RANDOM);
		const { tensors, tokens } = await parts(source);
		const gguf = ggufOf(llama, tokens, tensors);
		const file = join(dir, 'Tiny-Model.gguf');
		writeFileSync(file, new Uint8Array(gguf));
		expect((await loadTokenizer(file)).size).toBe(258);
		const asked: string[] = [];
		vi.stubGlobal('fetch', async (url: string) => { asked.push(url); return new Response(gguf, { headers: { 'content-length': String(gguf.byteLength) } }); });
		const seen: number[] = [];
		const model = await loadModel('https://example.org/m/Tiny-Model.gguf?download=true', engine, ({ loaded, total }) => seen.push(loaded / total));
		expect([model.shape.id, seen.at(-1), asked]).toEqual(['Tiny-Model', 1, ['https://example.org/m/Tiny-Model.gguf?download=true']]);
		expect(await prefillLogits(model.decoder, ids)).toEqual(await logitsOf(source));
		model.dispose();
		await expect(loadModel(join(dir, 'none.gguf'), engine)).rejects.toThrow(`There is no none.gguf at ${join(dir, 'none.gguf')}.`);
	});

	it('is said when a server announces more than there is memory', async () => {
		vi.stubGlobal('fetch', async () => new Response('GGUF', { headers: { 'content-length': String(2 ** 52) } }));
		await expect(loadModel('https://example.org/m.gguf', engine)).rejects.toThrow('A file of 4503599627370496 bytes does not fit into memory.');
	});
});
