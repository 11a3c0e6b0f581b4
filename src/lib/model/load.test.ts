import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { EngineInfo } from '$lib/documents/trace.ts';
import { toHalf } from '$lib/numerics/half.ts';
import { openBackend } from '$lib/ops/index.ts';
import { prefillLogits, relativeError } from './conformance.ts';
import { loadModel } from './load.ts';
import { HF_RANDOM, memorySource, randomLlama, writeSafetensors } from './random-llama.ts';
import { readSafetensors, toFloat32 } from './safetensors.ts';

const config = {
	architectures: ['LlamaForCausalLM'], vocab_size: 258, hidden_size: 12, intermediate_size: 20, num_hidden_layers: 2,
	num_attention_heads: 4, num_key_value_heads: 2, head_dim: 4, max_position_embeddings: 16
};
const whole = randomLlama(config, HF_RANDOM);
const weights = (await whole.bytes('model.safetensors'))!;
const tokenizer = await whole.json('tokenizer.json');
const files = { 'config.json': config, 'tokenizer.json': tokenizer };
let engine: EngineInfo;
beforeAll(async () => { engine = await openBackend('cpu'); });

describe('loadModel', () => {
	it('loads, reports bytes, and leaves nothing behind when disposed', async () => {
		const before = tf.memory().numTensors;
		const seen: [number, number][] = [];
		const model = await loadModel(whole, engine, ({ loaded, total }) => seen.push([loaded, total]));
		expect(seen.at(-1)).toEqual([weights.byteLength, weights.byteLength]);
		expect(model.shape).toMatchObject({ id: 'random', layers: 2, heads: 4, kvHeads: 2, headDim: 4, vocab: 258, context: 16, ropeTheta: 10000 });
		expect(model.shape.weights).toBe(258 * 12 * 2 + 12 + 2 * (16 * 12 * 2 + 8 * 12 * 2 + 3 * 20 * 12 + 24));
		model.dispose();
		expect(tf.memory().numTensors).toBe(before);
	});

	it('gives projections back as stored', async () => {
		const model = await loadModel(whole, engine);
		const stored = readSafetensors(weights, 'x');
		for (const name of ['q_proj', 'k_proj', 'v_proj', 'o_proj'] as const) {
			expect(await model.decoder.weight(name, 1)).toEqual(toFloat32(stored.get(`model.layers.1.self_attn.${name}.weight`)!));
		}
		model.dispose();
	});

	it('ties the head to the embedding when config.json says so', async () => {
		const stored = readSafetensors(weights, 'x');
		stored.set('lm_head.weight', { ...stored.get('model.embed_tokens.weight')!, name: 'lm_head.weight' });
		const [tied, untied] = await Promise.all([
			loadModel(memorySource('t', { ...files, 'config.json': { ...config, tie_word_embeddings: true } }, weights), engine),
			loadModel(memorySource('u', files, writeSafetensors([...stored.values()])), engine)
		]);
		expect(await prefillLogits(tied.decoder, [1, 5, 9])).toEqual(await prefillLogits(untied.decoder, [1, 5, 9]));
		expect(tied.shape.weights).toBe(untied.shape.weights - 258 * 12);
		tied.dispose();
		untied.dispose();
	});

	it('loads half floats from a folder, and from its parts', async () => {
		const dir = mkdtempSync(join(tmpdir(), 'winnow-'));
		const halves = [...readSafetensors(weights, 'x').values()].map((t) => ({ ...t, dtype: 'F16', bytes: new Uint8Array(toHalf(toFloat32(t)).buffer) }));
		const parts = { 'model-1.safetensors': halves.slice(0, 7), 'model-2.safetensors': halves.slice(7) };
		const map = Object.entries(parts).flatMap(([file, tensors]) => tensors.map((t) => [t.name, file]));
		writeFileSync(join(dir, 'config.json'), JSON.stringify(config));
		writeFileSync(join(dir, 'tokenizer.json'), JSON.stringify(tokenizer));
		writeFileSync(join(dir, 'model.safetensors.index.json'), JSON.stringify({ weight_map: Object.fromEntries(map) }));
		for (const [file, tensors] of Object.entries(parts)) writeFileSync(join(dir, file), new Uint8Array(writeSafetensors(tensors)));
		const [exact, rounded] = [await loadModel(whole, engine), await loadModel(`${dir}/`, engine)];
		expect(relativeError(await prefillLogits(rounded.decoder, [0, 70, 71]), await prefillLogits(exact.decoder, [0, 70, 71]))).toBeLessThan(0.01);
		exact.dispose();
		rounded.dispose();
		rmSync(join(dir, 'model-2.safetensors'));
		await expect(loadModel(dir, engine)).rejects.toThrow('model-2.safetensors, which model.safetensors.index.json names, is not at');
		rmSync(dir, { recursive: true });
	});

	it.each<[string, Record<string, unknown>, ArrayBuffer | null, string]>([
		['no config.json', {}, weights, 'There is no config.json at memory:bad. A model directory holds config.json, tokenizer.json and model.safetensors; a model may also be one .gguf file.'],
		['no tokenizer.json', { 'config.json': config }, weights, 'There is no tokenizer.json at memory:bad.'],
		['no weights', files, null, 'There is no model.safetensors at memory:bad.'],
		['another architecture', { ...files, 'config.json': { ...config, architectures: ['GemmaForCausalLM'] } }, weights, 'its architecture is GemmaForCausalLM'],
		['one layer too many', { ...files, 'config.json': { ...config, num_hidden_layers: 3 } }, weights, 'The weights have no tensor model.layers.2.input_layernorm.weight, which a Llama model of 3 layers needs.'],
		['another width', { ...files, 'config.json': { ...config, intermediate_size: 24 } }, weights, 'has shape 20 x 12, but config.json asks for 24 x 12'],
		['a vocabulary too small', { ...files, 'config.json': { ...config, vocab_size: 200 } }, weights, 'The tokenizer knows 258 tokens, but the configuration has a vocab_size of 200'],
		['a cut file', files, weights.slice(0, 5000), 'model.safetensors is cut off']
	])('refuses a directory with %s', async (_, bad, bytes, message) => {
		const before = tf.memory().numTensors;
		await expect(loadModel(memorySource('bad', bad, bytes), engine)).rejects.toThrow(message);
		expect(tf.memory().numTensors).toBe(before);
	});

	it('says that a folder is no model', async () => {
		await expect(loadModel('no/such/folder', engine)).rejects.toThrow('There is no config.json at no/such/folder.');
	});

	it('refuses to load for another backend than the open one', async () => {
		await expect(loadModel(whole, { ...engine, backend: 'wasm' })).rejects.toThrow('to be loaded for wasm, but cpu is open');
	});
});

describe('loading from an address', () => {
	afterEach(() => { vi.unstubAllGlobals(); });
	const serve = (answer: (file: string) => Response | Promise<Response>) =>
		vi.stubGlobal('fetch', async (url: string, { signal }: RequestInit) => { signal?.throwIfAborted(); return answer(url.split('/').pop()!); });
	const json = (value: unknown) => new Response(JSON.stringify(value), { headers: { 'content-type': 'application/json' } });

	it('fetches the files and reports the bytes of the weights', async () => {
		serve((file) => file === 'model.safetensors' ? new Response(weights, { headers: { 'content-length': String(weights.byteLength) } })
			: file in files ? json(files[file as keyof typeof files]) : new Response('', { status: 404 }));
		const seen: number[] = [];
		const model = await loadModel('https://example.org/models/tiny', engine, ({ loaded, total }) => seen.push(loaded / total));
		expect(model.shape.id).toBe('tiny');
		expect(seen.at(-1)).toBe(1);
		model.dispose();
	});

	it.each<[string, (file: string) => Response, string]>([
		['a page for every address', () => new Response('<html>', { headers: { 'content-type': 'text/html; charset=utf-8' } }), 'There is no config.json at https://example.org/m.'],
		['an error of the server', () => new Response('', { status: 503 }), 'config.json could not be fetched from https://example.org/m: the server answered 503.'],
		['no JSON', () => new Response('{"architectures": ['), 'config.json at https://example.org/m is not valid JSON.']
	])('explains %s', async (_, answer, message) => {
		serve(answer);
		await expect(loadModel('https://example.org/m', engine)).rejects.toThrow(message);
	});

	it('explains a broken connection, and stops when aborted', async () => {
		serve(() => { throw new TypeError('fetch failed'); });
		await expect(loadModel('https://example.org/m', engine)).rejects.toThrow('config.json could not be fetched from https://example.org/m: fetch failed.');
		await expect(loadModel('https://example.org/m', engine, undefined, AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop');
	});
});
