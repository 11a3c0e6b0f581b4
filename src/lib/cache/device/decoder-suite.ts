/** The cache under a whole decoder: what it says does not depend on how the tokens were read. */
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HF_RANDOM, randomLlama } from '$lib/model/random-llama.ts';
import { loadModel, type Decoder, type LoadedModel } from '$lib/model/index.ts';
import { rotation } from '$lib/numerics/rope.ts';
import { random } from '$lib/numerics/random.ts';
import { openBackend, read } from '$lib/ops/index.ts';
import { ArmCache } from '../arm-cache.ts';
import { uniformCodec } from '../codecs/uniform.ts';
import { DeviceMemory } from './memory.ts';
import type { PassKind } from './pass.ts';
import { PrefillMemory, type Captured, type CaptureNeeds } from './prefill.ts';
import { maxDifference } from './testing.ts';

const CONFIG = {
	architectures: ['LlamaForCausalLM'], model_type: 'llama', vocab_size: 320, hidden_size: 48, intermediate_size: 64,
	num_hidden_layers: 3, num_attention_heads: 6, num_key_value_heads: 2, head_dim: 8, max_position_embeddings: 400,
	rope_theta: 50000, rms_norm_eps: 1e-5, hidden_act: 'silu', tie_word_embeddings: false, bos_token_id: 0, eos_token_id: 1
};

async function readPrompt(decoder: Decoder, ids: Int32Array, needs: CaptureNeeds = {}): Promise<{ captured: Captured; logits: Float32Array }> {
	const memory = new PrefillMemory(decoder.shape, ids.length, needs);
	const { logits } = await decoder.forward(ids, memory.pass(), memory, { allLogits: true });
	const captured = await memory.finish();
	const numbers = (await read(logits)) as Float32Array;
	logits.dispose();
	return { captured, logits: numbers };
}

function cacheOf(captured: Captured, decoder: Decoder): ArmCache {
	return ArmCache.fromPrompt({
		shape: decoder.shape, n: captured.n, rope: rotation(decoder.invFreq),
		keys: (layer) => captured.layers[layer].keys, values: (layer) => captured.layers[layer].values
	});
}

/** Runs `ids` (one list for all rows) and gives the logits of the last token of every row. */
async function step(decoder: Decoder, memory: DeviceMemory, ids: Int32Array, kind: PassKind = 'append'): Promise<Float32Array[]> {
	const rows = memory.arms.length;
	const pass = memory.begin(kind, {}, ids.length);
	const all = Int32Array.from({ length: rows * ids.length }, (_, i) => ids[i % ids.length]);
	const { logits } = await decoder.forward(all, pass, memory);
	const numbers = (await read(logits)) as Float32Array;
	logits.dispose();
	await memory.finish();
	const vocab = numbers.length / rows;
	return memory.arms.map((_, row) => numbers.slice(row * vocab, (row + 1) * vocab));
}

export const decoderSuite = (backend: 'cpu' | 'wasm' | 'webgpu') => describe(`a decoder on ${backend}`, { timeout: 120_000 }, () => {
	let model: LoadedModel;
	let decoder: Decoder;
	let memory: DeviceMemory | null = null;
	const draw = random(11);
	const ids = Int32Array.from({ length: 40 }, () => draw.int(2, 319));
	beforeAll(async () => {
		model = await loadModel(randomLlama(CONFIG, HF_RANDOM), await openBackend(backend));
		decoder = model.decoder;
	});
	afterAll(() => {
		memory?.dispose();
		model.dispose();
	});
	const open = (arms: ArmCache[], capacity: number) => {
		memory?.dispose();
		return (memory = new DeviceMemory(arms, capacity));
	};
	/** Relative to the largest logit. */
	const error = (a: Float32Array, b: Float32Array) => maxDifference(a, b) / Math.max(...b.map(Math.abs));

	it('says the same decoding token by token, in blocks, or all at once', async () => {
		const whole = await readPrompt(decoder, ids);
		const at = (i: number) => whole.logits.subarray(i * 320, (i + 1) * 320);
		const { captured } = await readPrompt(decoder, ids.slice(0, 25));
		const full = cacheOf(captured, decoder);
		const rows = open([full, full.fork()], 40);
		expect(error((await step(decoder, rows, ids.slice(24, 25), 'transient'))[1], at(24))).toBeLessThan(1e-5);
		for (let i = 25; i < 33; i++) expect(error((await step(decoder, rows, ids.slice(i, i + 1)))[0], at(i))).toBeLessThan(1e-5);
		const [first, second] = await step(decoder, rows, ids.slice(33));
		expect(error(first, at(39))).toBeLessThan(1e-5);
		expect(second).toEqual(first);
		// The keys that ended in the store are those of the one pass.
		for (let layer = 0; layer < 3; layer++) {
			for (const head of [0, 1]) {
				expect(maxDifference(full.layers[layer].keys(head), whole.captured.keys(layer, head))).toBeLessThan(2e-5);
				expect(maxDifference(full.layers[layer].values(head), whole.captured.values(layer, head))).toBeLessThan(2e-5);
			}
		}
	});

	it('gives rows without a method the bits of the reference, whatever other rows do', async () => {
		const { captured } = await readPrompt(decoder, ids.slice(0, 30));
		const full = cacheOf(captured, decoder);
		const [evicted, coded, same] = [full.fork(), full.fork(), full.fork()];
		for (const layer of evicted.layers) layer.keep(0, [0, 1, 2, 28, 29]);
		coded.layers[0].encode(0, 'K', [...Array(30).keys()], uniformCodec({ bits: 2, axis: 'channel', group: 16 }));
		for (const layer of same.layers) {
			layer.keep(0, [...Array(30).keys()]);
			layer.rerotate(0);
			layer.encode(1, 'K', [...Array(30).keys()], uniformCodec({ bits: 16, axis: 'token', group: 8 }));
		}
		const rows = open([full, evicted, coded, same], 40);
		for (let i = 29; i < 36; i++) {
			const logits = await step(decoder, rows, ids.slice(i, i + 1), i === 29 ? 'transient' : 'append');
			expect(logits[3]).toEqual(logits[0]);
			expect(error(logits[1], logits[0])).toBeGreaterThan(1e-3);
			expect(error(logits[2], logits[0])).toBeGreaterThan(1e-4);
		}
		expect(same.bill()).toEqual(full.bill());
	});

	it('reads a cache of re-rotated keys as a shorter text where nothing was in between', async () => {
		// In the first layer keys and values depend on the token alone, so eviction and turning there
		// must give what the kept tokens give when they are all there is.
		const { captured } = await readPrompt(decoder, ids.slice(0, 20));
		const kept = [0, 1, 15, 16, 17, 18, 19];
		const short = await readPrompt(decoder, Int32Array.from(kept, (i) => ids[i]));
		const arm = cacheOf(captured, decoder);
		for (const head of [0, 1]) {
			arm.layers[0].keep(head, kept);
			arm.layers[0].rerotate(head);
			expect(maxDifference(arm.layers[0].keys(head), short.captured.keys(0, head))).toBeLessThan(1e-5);
		}
	});

	it('captures queries, attention sums and keys before rotation', async () => {
		const { captured } = await readPrompt(decoder, ids.slice(0, 12), { queries: { last: 5 }, attentionSums: true, keysBefore: true });
		const all = (await readPrompt(decoder, ids.slice(0, 12), { queries: 'all' })).captured;
		const rope = rotation(decoder.invFreq);
		for (let layer = 0; layer < 3; layer++) {
			for (const head of [0, 1]) {
				const turned = rope.rotate(captured.keysBefore(layer, head), Array.from({ length: 12 }, (_, i) => i), 8);
				expect(maxDifference(turned, captured.keys(layer, head))).toBeLessThan(1e-5);
			}
			for (let q = 0; q < 6; q++) {
				expect(captured.queries(layer, q)).toEqual(all.queries(layer, q).slice(7 * 8));
				// Column sums again, from queries and keys.
				const sums = new Float64Array(12);
				const keys = all.keys(layer, Math.floor(q / 3));
				for (let t = 0; t < 12; t++) {
					const scores = Float64Array.from({ length: t + 1 }, (_, j) => {
						let dot = 0;
						for (let c = 0; c < 8; c++) dot += all.queries(layer, q)[t * 8 + c] * keys[j * 8 + c];
						return Math.exp(dot / Math.sqrt(8));
					});
					const total = scores.reduce((a, b) => a + b, 0);
					scores.forEach((score, j) => (sums[j] += score / total));
				}
				expect(maxDifference(captured.attentionSums(layer, q), sums)).toBeLessThan(1e-4);
			}
		}
		expect(captured.queryRows(0)).toBe(5);
		expect(() => all.attentionSums(0, 0)).toThrow(/not asked for/);
		expect(() => all.queries(0, 6)).toThrow(/no head 6/);
	});

	it('leaves no tensor behind', async () => {
		memory?.dispose();
		memory = null;
		const before = tf.memory().numTensors;
		const { captured } = await readPrompt(decoder, ids.slice(0, 12), { queries: 'all', attentionSums: true, keysBefore: true });
		const arm = cacheOf(captured, decoder);
		const rows = new DeviceMemory([arm], 20);
		await step(decoder, rows, ids.slice(12, 13));
		rows.begin('append');
		rows.dispose();
		expect(tf.memory().numTensors).toBe(before);
	});
});
