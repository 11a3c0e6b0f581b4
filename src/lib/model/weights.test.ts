import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '$lib/ops/index.ts';
import { weightCount } from './checkpoint.ts';
import { readConfig } from './config.ts';
import { prefillLogits } from './conformance.ts';
import { TransformerDecoder } from './decoder.ts';
import { HF_RANDOM, randomLlama } from './random-llama.ts';
import { readSafetensors } from './safetensors.ts';
import { toFloat32, type StoredTensor, type TensorSource } from './stored.ts';
import { placeWeights } from './weights.ts';

const llama = {
	architectures: ['LlamaForCausalLM'], vocab_size: 258, hidden_size: 12, intermediate_size: 20, num_hidden_layers: 2,
	num_attention_heads: 4, num_key_value_heads: 2, head_dim: 4, max_position_embeddings: 16
};
const gpt2 = { architectures: ['GPT2LMHeadModel'], vocab_size: 258, n_embd: 12, n_head: 3, n_layer: 2, n_positions: 16 };
const models: [string, Record<string, unknown>][] = [
	['Llama', llama], ['Qwen2', { ...llama, architectures: ['Qwen2ForCausalLM'], tie_word_embeddings: true }],
	['Qwen3', { ...llama, architectures: ['Qwen3ForCausalLM'] }], ['GPT-2', gpt2]
];

async function storedOf(config: Record<string, unknown>): Promise<Map<string, StoredTensor>> {
	return readSafetensors((await randomLlama(config, HF_RANDOM).bytes('model.safetensors'))!, 'random');
}

function sourceOf(stored: Map<string, StoredTensor>, onRead: (name: string) => void = () => {}): TensorSource {
	return {
		names: () => [...stored.keys()],
		describe: (name) => stored.get(name),
		tensor: async (name) => {
			onRead(name);
			return stored.get(name)!;
		}
	};
}

async function decoderOf(source: TensorSource, json: Record<string, unknown>): Promise<TransformerDecoder> {
	const config = readConfig(json);
	return new TransformerDecoder({ ...config, id: 'm', name: 'm', ropeTheta: config.rotary?.theta ?? 0, weights: 0 }, config, await placeWeights(source, config));
}

describe('placeWeights', () => {
	beforeAll(async () => { await openBackend('cpu'); });

	it.each(models)('reads every tensor of %s once, counts its weights, and frees all', async (_, json) => {
		const before = tf.memory();
		const reads: string[] = [];
		const stored = await storedOf(json);
		const weights = await placeWeights(sourceOf(stored, (name) => reads.push(name)), readConfig(json));
		expect(reads.toSorted()).toEqual([...stored.keys()].toSorted());
		expect(weights.count).toBe([...stored.values()].reduce((sum, { bytes }) => sum + bytes.length / 4, 0));
		expect(weightCount(readConfig(json))).toBe(weights.count);
		tf.dispose(weights.tensors);
		expect(tf.memory()).toMatchObject({ numTensors: before.numTensors, numBytes: before.numBytes });
	});

	it.each(models)('gives the projections of %s back, outputs first', async (_, json) => {
		const stored = await storedOf(json);
		const decoder = await decoderOf(sourceOf(stored), json);
		for (const [i, name] of (['q_proj', 'k_proj', 'v_proj', 'o_proj'] as const).entries()) {
			const found = await decoder.weight(name, 1);
			const whole = stored.get(`model.layers.1.self_attn.${name}.weight`);
			if (whole) expect(found).toEqual(toFloat32(whole));
			else {
				const fused = name !== 'o_proj';
				const numbers = toFloat32(stored.get(`transformer.h.1.attn.${fused ? 'c_attn' : 'c_proj'}.weight`)!);
				const columns = fused ? 36 : 12;
				const expected = Float32Array.from({ length: 144 }, (_, at) => numbers[(at % 12) * columns + (fused ? 12 * i : 0) + Math.floor(at / 12)]);
				expect(found).toEqual(expected);
			}
		}
		decoder.dispose();
	});

	it.each(models)('finds the tensors of a bare %s, whose names lack the first part', async (_, json) => {
		const stored = await storedOf(json);
		const bare = new Map([...stored].map(([name, tensor]) => [name.replace(/^(model|transformer)\./, ''), tensor]));
		const [whole, other] = [await decoderOf(sourceOf(stored), json), await decoderOf(sourceOf(bare), json)];
		expect(await prefillLogits(other, [1, 5, 9])).toEqual(await prefillLogits(whole, [1, 5, 9]));
		whole.dispose();
		other.dispose();
	});

	it('refuses what does not fit before anything is read', async () => {
		const stored = await storedOf(gpt2);
		const place = (config: object) => placeWeights(sourceOf(stored, () => { throw new Error('read'); }), readConfig({ ...gpt2, ...config }));
		await expect(place({ n_layer: 3 })).rejects.toThrow('The weights have no tensor transformer.h.2.ln_1.weight, which a GPT2 model of 3 layers needs.');
		await expect(place({ n_layer: Number.MAX_SAFE_INTEGER })).rejects.toThrow('The weights have no tensor transformer.h.2.ln_1.weight');
		await expect(place({ n_positions: 2 ** 50 })).rejects.toThrow('transformer.wpe.weight has shape 16 x 12, but config.json asks for 1125899906842624 x 12.');
		await expect(place({ tie_word_embeddings: false })).rejects.toThrow('The weights have no tensor lm_head.weight');
	});

	it('stops when aborted, and leaves nothing behind', async () => {
		const stored = await storedOf(llama);
		const before = tf.memory().numTensors;
		const abort = new AbortController();
		const source = sourceOf(stored, (name) => { if (name.includes('layers.1')) abort.abort(new Error('stop')); });
		await expect(placeWeights(source, readConfig(llama), { signal: abort.signal })).rejects.toThrow('stop');
		expect(tf.memory().numTensors).toBe(before);
	});
});
