import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../config.ts';
import { frequenciesOf } from '../rotary.ts';
import { fileOfBytes } from '../stored-file.ts';
import { toFloat32 } from '../stored.ts';
import { Tokenizer } from '../tokenizer.ts';
import { openGguf } from './index.ts';
import { hubName, unpaired } from './names.ts';
import { BOOL, F32, I32, LIST, STRING, U32, writeGguf, type Entry, type Written } from './testing.ts';

const open = (entries: Entry[], tensors: Written[] = []) => openGguf(fileOfBytes('model.gguf', writeGguf(entries, tensors)));
const floats = (name: string, numbers: Float32Array, ...shape: number[]): Written => ({ name, type: 0, shape, bytes: new Uint8Array(numbers.buffer) });
const counted = (length: number) => Float32Array.from({ length }, (_, i) => i);

const llama = (architecture = 'llama'): Entry[] => [
	['general.architecture', STRING, architecture],
	...Object.entries({ block_count: 1, context_length: 128, embedding_length: 8, feed_forward_length: 12, 'attention.head_count': 2, 'attention.head_count_kv': 1 })
		.map(([key, value]): Entry => [`${architecture}.${key}`, U32, value]),
	[`${architecture}.attention.layer_norm_rms_epsilon`, F32, 1e-5], [`${architecture}.rope.freq_base`, F32, 500000]
];
const bpe: Entry[] = [
	['tokenizer.ggml.model', STRING, 'gpt2'], ['tokenizer.ggml.pre', STRING, 'gpt-2'],
	['tokenizer.ggml.tokens', LIST, ['a', 'b', 'ab', 'Ġ', 'Ġab', '1', '2', '12', '<|end|>', '<tool>', ''], STRING],
	['tokenizer.ggml.token_type', LIST, [1, 1, 1, 1, 1, 1, 1, 1, 3, 4, 3], I32],
	['tokenizer.ggml.merges', LIST, ['a b', 'Ġ ab', '1 2'], STRING],
	['tokenizer.ggml.eos_token_id', U32, 8], ['tokenizer.ggml.bos_token_id', U32, 8]
];
const set = (entries: Entry[], ...changes: Entry[]) => [...entries.filter(([key]) => !changes.some(([other]) => other === key)), ...changes];
const without = (entries: Entry[], key: string) => entries.filter(([other]) => other !== key);
const table = floats('token_embd.weight', counted(11 * 8), 11, 8);

describe('tensors of a GGUF file', () => {
	it('are named as at Hugging Face', () => {
		expect(hubName('llama', 'blk.12.attn_q.weight')).toBe('model.layers.12.self_attn.q_proj.weight');
		expect(hubName('qwen2', 'blk.0.attn_k.bias')).toBe('model.layers.0.self_attn.k_proj.bias');
		expect(hubName('qwen3', 'blk.0.attn_q_norm.weight')).toBe('model.layers.0.self_attn.q_norm.weight');
		expect(hubName('gpt2', 'blk.3.ffn_up.bias')).toBe('transformer.h.3.mlp.c_fc.bias');
		expect([hubName('llama', 'output.weight'), hubName('gpt2', 'position_embd.weight')]).toEqual(['lm_head.weight', 'transformer.wpe.weight']);
		expect([hubName('llama', 'rope_freqs.weight'), hubName('llama', 'blk.0.constructor.weight'), hubName('llama', 'blk.x.attn_q.weight')]).toEqual([null, null, null]);
	});

	it('have the pairs of llama heads undone, whatever they are stored as', () => {
		// What convert_hf_to_gguf.py does: reshape(heads, 2, headDim / 2, ...).swapaxes(1, 2).
		const paired = (rows: number[], heads: number) => {
			const half = rows.length / heads / 2;
			return Array.from({ length: heads }, (_, h) => Array.from({ length: half }, (_, i) => [0, 1].map((p) => rows[h * 2 * half + p * half + i]))).flat(2);
		};
		fc.assert(fc.property(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 5 }), (heads, half, width) => {
			const rows = Array.from({ length: heads * 2 * half }, (_, i) => i);
			const bytes = (order: number[]) => Uint8Array.from(order.flatMap((row) => Array.from({ length: width }, (_, i) => row * 16 + i)));
			expect(unpaired(bytes(paired(rows, heads)), heads, rows.length)).toEqual(bytes(rows));
		}));
	});

	it('come with the rows of queries and keys in order for llama, as they are for qwen2', async () => {
		const tensors = [table, floats('blk.0.attn_q.weight', counted(8 * 8), 8, 8), floats('blk.0.attn_k.weight', counted(4 * 8), 4, 8), floats('blk.0.attn_v.weight', counted(4 * 8), 4, 8)];
		const firsts = async (architecture: string, name: string) => {
			const tensor = await (await open([...llama(architecture), ...bpe], tensors)).tensors.tensor(`model.layers.0.self_attn.${name}.weight`);
			return Array.from(toFloat32(tensor)).filter((_, i) => i % 8 === 0).map((n) => n / 8);
		};
		expect(await firsts('llama', 'q_proj')).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
		expect(await firsts('llama', 'k_proj')).toEqual([0, 2, 1, 3]);
		expect(await firsts('llama', 'v_proj')).toEqual([0, 1, 2, 3]);
		expect(await firsts('qwen2', 'q_proj')).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
	});

	it('of GPT-2 are turned back to [inputs, outputs]', async () => {
		const gpt2 = [...llama('gpt2'), ['gpt2.attention.layer_norm_epsilon', F32, 1e-5] as Entry, ...bpe];
		const { tensors } = await open(gpt2, [table, floats('blk.0.ffn_up.weight', counted(6), 3, 2)]);
		expect(tensors.describe('transformer.h.0.mlp.c_fc.weight')).toMatchObject({ dtype: 'F32', shape: [2, 3] });
		const tensor = await tensors.tensor('transformer.h.0.mlp.c_fc.weight');
		expect(tensor.shape).toEqual([2, 3]);
		expect(Array.from(toFloat32(tensor))).toEqual([0, 2, 4, 1, 3, 5]);
		await expect(tensors.tensor('lm_head.weight')).rejects.toThrow('model.gguf has no tensor for lm_head.weight.');
	});
});

describe('the configuration of a GGUF file', () => {
	it('is read as config.json would be', async () => {
		const { config } = await open([...llama(), ...bpe], [table]);
		expect(readConfig(config)).toMatchObject({
			architecture: 'LlamaForCausalLM', layers: 1, heads: 2, kvHeads: 1, headDim: 4, hidden: 8, intermediate: 12, vocab: 11, context: 128,
			eps: 1e-5, tied: true, ends: [8], bias: { qkv: false, o: false, mlp: false }, rotary: { theta: 500000, scaling: null }
		});
		const qwen3 = set([...llama('qwen3'), ...bpe], ['qwen3.attention.key_length', U32, 6], ['qwen3.attention.value_length', U32, 6], ['tokenizer.ggml.eot_token_id', U32, 3]);
		expect(readConfig((await open(qwen3, [table])).config)).toMatchObject({ architecture: 'Qwen3ForCausalLM', headDim: 6, qkNorm: true, ends: [8, 3] });
		const gpt2 = set([...llama('gpt2'), ...bpe], ['gpt2.attention.layer_norm_epsilon', F32, 1e-5]);
		expect(readConfig((await open(gpt2, [table])).config)).toMatchObject({ architecture: 'GPT2LMHeadModel', layers: 1, hidden: 8, intermediate: 12, norm: 'layer', eps: 1e-5 });
	});

	it('finds the rule behind the divisors of Llama 3', async () => {
		const headDim = 64;
		const entries = set([...llama(), ...bpe], ['llama.embedding_length', U32, 128]);
		const stated = { rope_type: 'llama3', factor: 32, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };
		const rotary = { theta: 500000, scaling: { kind: 'llama3' as const, factor: 32, low: 1, high: 4, context: 8192 } };
		const scaled = frequenciesOf({ rotary, headDim });
		const divisors = Float32Array.from(frequenciesOf({ rotary: { ...rotary, scaling: null }, headDim }), (plain, i) => plain / scaled[i]);
		expect((await open(entries, [table, floats('rope_freqs.weight', divisors, 32)])).config.rope_scaling).toEqual(stated);
		divisors[3] = 2;
		await expect(open(entries, [table, floats('rope_freqs.weight', divisors, 32)])).rejects.toThrow('scaled in a way of its own');
		await expect(open(entries, [table, floats('rope_freqs.weight', divisors.slice(16), 16)])).rejects.toThrow('scaled in a way of its own');
	});

	it.each<[string, Entry[], string]>([
		['no architecture', bpe, 'model.gguf does not name its architecture'],
		['no layers', without([...llama(), ...bpe], 'llama.block_count'), 'model.gguf does not say llama.block_count, which is needed'],
		['a width a layer', set([...llama(), ...bpe], ['llama.feed_forward_length', LIST, [12, 16], U32]), 'llama.feed_forward_length is not one number but another for each layer'],
		['a billion layers', set([...llama(), ...bpe], ['llama.block_count', U32, 1e9]), 'it speaks of more layers than it has tensors'],
		['experts', set([...llama(), ...bpe], ['llama.expert_count', U32, 8]), 'it is a mixture of experts'],
		['values of another width', set([...llama(), ...bpe], ['llama.attention.value_length', U32, 8]), 'its values are 8 numbers wide, its keys 4'],
		['one of several parts', [...llama(), ...bpe, ['split.count', U32, 3]], 'model.gguf is one of 3 parts'],
		['no tokenizer', llama(), 'model.gguf carries no tokenizer'],
		['a tokenizer of another kind', set([...llama(), ...bpe], ['tokenizer.ggml.model', STRING, 't5']), 'is of the kind t5; only gpt2'],
		['a split of its own', set([...llama(), ...bpe], ['tokenizer.ggml.pre', STRING, 'tekken']), 'splits texts by the rule tekken; known are gpt-2'],
		['a merge of one', set([...llama(), ...bpe], ['tokenizer.ggml.merges', LIST, ['ab'], STRING]), '"ab" is no pair of tokens'],
		['kinds for some tokens', set([...llama(), ...bpe], ['tokenizer.ggml.token_type', LIST, [1], I32]), 'not every token has a kind'],
		['no scores', set([...llama(), ...bpe], ['tokenizer.ggml.model', STRING, 'llama']), 'not every token has a score']
	])('refuses %s', async (_, entries, message) => {
		await expect(open(entries, [table])).rejects.toThrow(message);
	});

	it('leaves what cannot be run to be refused by its name', async () => {
		expect(() => readConfig({})).toThrow();
		const { config } = await open([...llama('gemma3'), ...bpe], [table]);
		expect(() => readConfig(config)).toThrow('its architecture is gemma3');
		const yarn = await open([...llama(), ...bpe, ['llama.rope.scaling.type', STRING, 'yarn'], ['llama.rope.scaling.factor', F32, 4]], [table]);
		expect(() => readConfig(yarn.config)).toThrow('scaled by yarn');
		const half = await open([...llama(), ...bpe, ['llama.rope.dimension_count', U32, 2]], [table]);
		expect(() => readConfig(half.config)).toThrow('only a part of each head is rotated');
	});
});

describe('the tokenizer of a GGUF file', () => {
	const tokenizer = async (entries: Entry[]) => {
		const { json, config } = (await open([...llama(), ...entries], [table])).tokenizer;
		return new Tokenizer(json, config);
	};

	it('merges bytes, and finds its special tokens in a text', async () => {
		const gpt2 = await tokenizer(bpe);
		expect(gpt2.size).toBe(11);
		expect(Array.from(gpt2.encode('ab ab<|end|>12<tool>b'))).toEqual([2, 4, 8, 7, 9, 1]);
		expect(gpt2.decode([2, 4, 8, 7, 9, 1])).toBe('ab ab12<tool>b');
		expect([gpt2.isSpecial(8), gpt2.isSpecial(9)]).toEqual([true, false]);
	});

	it('splits digits as the rule says, and begins as the file says', async () => {
		const named = (pre: string, ...more: Entry[]) => tokenizer(set(bpe, ['tokenizer.ggml.pre', STRING, pre], ...more));
		expect(Array.from((await named('smollm')).encode('ab 12'))).toEqual([2, 3, 5, 6]);
		expect(Array.from((await named('qwen2')).encode('ab ab12'))).toEqual([2, 4, 5, 6]);
		expect(Array.from((await named('llama-bpe')).encode('ab12'))).toEqual([8, 2, 7]);
		expect(Array.from((await named('llama-bpe', ['tokenizer.ggml.add_bos_token', BOOL, false])).encode('ab12'))).toEqual([2, 7]);
		expect(Array.from((await named('default', ['tokenizer.ggml.add_eos_token', BOOL, true])).encode('ab ab'))).toEqual([2, 4, 8]);
	});

	const pieces = ['<unk>', '<s>', '</s>', '<0x0A>', '<0xC3>', '<0xA9>', '▁', 't', 'h', 'e', 'th', '▁t', 'he', '▁the', '▁th'];
	const spm: Entry[] = [
		['tokenizer.ggml.model', STRING, 'llama'], ['tokenizer.ggml.tokens', LIST, pieces, STRING],
		['tokenizer.ggml.token_type', LIST, [2, 3, 3, 6, 6, 6, ...Array<number>(9).fill(1)], I32],
		['tokenizer.ggml.scores', LIST, pieces.map((_, i) => -i), F32], ['tokenizer.ggml.bos_token_id', U32, 1], ['tokenizer.ggml.unknown_token_id', U32, 0]
	];

	it('joins the neighbours of highest score, as SentencePiece does', async () => {
		const llama2 = await tokenizer(spm);
		/** Joins the two neighbours that make the token of highest score, the leftmost of equals, until none do. */
		const joined = (text: string): number[] => {
			const parts = Array.from(`▁${text.replaceAll(' ', '▁')}`);
			for (;;) {
				const scores = parts.slice(1).map((part, i) => pieces.indexOf(parts[i] + part)).map((id) => (id < 0 ? -Infinity : -id));
				const best = scores.indexOf(Math.max(...scores));
				if (best < 0 || scores[best] === -Infinity) return parts.map((part) => pieces.indexOf(part));
				parts.splice(best, 2, parts[best] + parts[best + 1]);
			}
		};
		fc.assert(fc.property(fc.string({ unit: fc.constantFrom('t', 'h', 'e', ' '), minLength: 1, maxLength: 12 }), (text) => {
			expect(Array.from(llama2.encode(text))).toEqual([1, ...joined(text)]);
			expect(llama2.decode(llama2.encode(text))).toBe(text);
		}));
	});

	it('falls back on bytes', async () => {
		const llama2 = await tokenizer(spm);
		expect(Array.from(llama2.encode('é\nthe', { bare: true }))).toEqual([6, 4, 5, 3, 10, 9]);
		expect(llama2.decode(llama2.encode('é\nthe'))).toBe('é\nthe');
		expect(Array.from((await tokenizer([...spm, ['tokenizer.ggml.add_space_prefix', BOOL, false]])).encode('the', { bare: true }))).toEqual([10, 9]);
	});
});
