import { describe, expect, it } from 'vitest';
import { readConfig } from './config.ts';

const good = {
	architectures: ['LlamaForCausalLM'], model_type: 'llama', vocab_size: 100, hidden_size: 64, intermediate_size: 96,
	num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2, max_position_embeddings: 128, eos_token_id: 1
};

describe('readConfig', () => {
	it('fills in what Hugging Face leaves out', () => {
		expect(readConfig(good)).toEqual({
			layers: 2, heads: 4, kvHeads: 2, headDim: 16, hidden: 64, intermediate: 96, vocab: 100, context: 128,
			ropeTheta: 10000, eps: 1e-6, tied: false, ends: [1]
		});
		expect(readConfig({ ...good, num_key_value_heads: undefined }).kvHeads).toBe(4);
		expect(readConfig({ ...good, head_dim: 32, eos_token_id: [1, 2], tie_word_embeddings: true })).toMatchObject({ headDim: 32, ends: [1, 2], tied: true });
	});

	it('finds theta where newer and older files keep it', () => {
		expect(readConfig({ ...good, rope_theta: 5e5, rope_scaling: null }).ropeTheta).toBe(5e5);
		expect(readConfig({ ...good, rope_parameters: { rope_type: 'default', rope_theta: 7e4 } }).ropeTheta).toBe(7e4);
	});

	it.each<[object | null, string]>([
		[null, 'config.json does not hold a JSON object.'],
		[{ ...good, architectures: ['GPT2LMHeadModel'] }, 'its architecture is GPT2LMHeadModel; only LlamaForCausalLM is supported.'],
		[{ ...good, architectures: undefined, model_type: 'qwen2' }, 'its architecture is qwen2'],
		[{}, 'its architecture is not named in config.json'],
		[{ ...good, attention_bias: true }, 'its attention projections have biases'],
		[{ ...good, mlp_bias: true }, 'its feed-forward projections have biases'],
		[{ ...good, hidden_act: 'gelu' }, 'its activation is gelu'],
		[{ ...good, rope_scaling: { rope_type: 'llama3', factor: 8 } }, 'its rotary positions are scaled (llama3)'],
		[{ ...good, rope_scaling: { type: 'linear', factor: 2 } }, 'its rotary positions are scaled (linear)'],
		[{ ...good, rope_parameters: { rope_type: 'yarn', rope_theta: 1e4 } }, 'its rotary positions are scaled (yarn)'],
		[{ ...good, partial_rotary_factor: 0.5 }, 'only a part of each head is rotated'],
		[{ ...good, rope_interleaved: true }, 'its rotary positions pair neighbouring channels'],
		[{ ...good, sliding_window: 4096 }, 'it attends through a sliding window of 4096 tokens'],
		[{ ...good, quantization_config: { bits: 4 } }, 'its weights are quantized'],
		[{ ...good, hidden_size: 0 }, 'hidden_size must be a whole number above zero, not 0'],
		[{ ...good, vocab_size: undefined }, 'vocab_size must be a whole number above zero, not undefined'],
		[{ ...good, num_key_value_heads: 3 }, '4 query heads cannot share 3 key-value heads evenly'],
		[{ ...good, head_dim: 15 }, 'a head_dim of 15 cannot be run'],
		[{ ...good, rope_theta: -1 }, 'rope_theta must be a positive number, not -1']
	])('refuses %j', (config, message) => {
		expect(() => readConfig(config)).toThrow(message);
	});
});
