import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readConfig } from './config.ts';
import { frequenciesOf } from './rotary.ts';
import { ModelError } from './error.ts';

const good = {
	architectures: ['LlamaForCausalLM'], model_type: 'llama', vocab_size: 100, hidden_size: 64, intermediate_size: 96,
	num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2, max_position_embeddings: 128, eos_token_id: 1
};
const as = (architecture: string, more: object = {}) => ({ ...good, architectures: [architecture], ...more });
const gpt2 = { architectures: ['GPT2LMHeadModel'], n_embd: 64, n_head: 4, n_layer: 2, n_positions: 128, n_ctx: 128, n_inner: null, vocab_size: 100, eos_token_id: 99 };
const llama3 = { rope_type: 'llama3', factor: 32, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };

describe('readConfig', () => {
	it('fills in what Hugging Face leaves out', () => {
		expect(readConfig(good)).toEqual({
			architecture: 'LlamaForCausalLM', layers: 2, heads: 4, kvHeads: 2, headDim: 16, hidden: 64, intermediate: 96, vocab: 100, context: 128,
			norm: 'rms', eps: 1e-6, rotary: { theta: 10000, scaling: null }, qkNorm: false, mlp: 'swiglu',
			bias: { qkv: false, o: false, mlp: false }, tied: false, ends: [1]
		});
		expect(readConfig({ ...good, num_key_value_heads: undefined }).kvHeads).toBe(4);
		expect(readConfig({ ...good, head_dim: 32, eos_token_id: [1, 2], tie_word_embeddings: true })).toMatchObject({ headDim: 32, ends: [1, 2], tied: true });
		expect(readConfig({ ...good, architectures: undefined }).architecture).toBe('LlamaForCausalLM');
	});

	it('tells the architectures apart', () => {
		expect(readConfig(as('MistralForCausalLM', { sliding_window: null }))).toMatchObject({ qkNorm: false, bias: { qkv: false, o: false } });
		expect(readConfig(as('Qwen2ForCausalLM'))).toMatchObject({ qkNorm: false, headDim: 16, bias: { qkv: true, o: false, mlp: false } });
		expect(readConfig(as('Qwen3ForCausalLM'))).toMatchObject({ qkNorm: true, headDim: 128, bias: { qkv: false, o: false, mlp: false } });
		expect(readConfig({ ...good, attention_bias: true, mlp_bias: true }).bias).toEqual({ qkv: true, o: true, mlp: true });
		expect(readConfig({ ...good, architectures: [], model_type: 'qwen2' }).architecture).toBe('Qwen2ForCausalLM');
		expect(readConfig(gpt2)).toEqual({
			architecture: 'GPT2LMHeadModel', layers: 2, heads: 4, kvHeads: 4, headDim: 16, hidden: 64, intermediate: 256, vocab: 100, context: 128,
			norm: 'layer', eps: 1e-5, rotary: null, qkNorm: false, mlp: 'gelu', bias: { qkv: true, o: true, mlp: true }, tied: true, ends: [99]
		});
	});

	it('finds theta where newer and older files keep it', () => {
		expect(readConfig({ ...good, rope_theta: 5e5, rope_scaling: null }).rotary?.theta).toBe(5e5);
		expect(readConfig({ ...good, rope_parameters: { rope_type: 'default', rope_theta: 7e4 } }).rotary?.theta).toBe(7e4);
		expect(readConfig({ ...good, rope_theta: 5e5, rope_scaling: llama3 }).rotary).toEqual({
			theta: 5e5, scaling: { kind: 'llama3', factor: 32, low: 1, high: 4, context: 8192 }
		});
		expect(readConfig({ ...good, rope_scaling: { type: 'linear', factor: 2 } }).rotary?.scaling).toEqual({ kind: 'linear', factor: 2 });
	});

	it('lets a sliding window pass where no layer slides or no text is as long', () => {
		const window = { sliding_window: 64, use_sliding_window: false, max_window_layers: 1 };
		expect(readConfig(as('Qwen2ForCausalLM', window)).context).toBe(128);
		expect(readConfig(as('Qwen2ForCausalLM', { ...window, use_sliding_window: true, max_window_layers: 2 })).context).toBe(128);
		expect(readConfig(as('Qwen3ForCausalLM', { ...window, use_sliding_window: true, layer_types: ['full_attention', 'full_attention'] })).context).toBe(128);
		expect(readConfig(as('MistralForCausalLM', { sliding_window: 128 })).context).toBe(128);
	});

	it.each<[object | null, string]>([
		[null, 'config.json does not hold a JSON object.'],
		[as('GemmaForCausalLM'), 'its architecture is GemmaForCausalLM; supported are LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM, GPT2LMHeadModel.'],
		[as('toString'), 'its architecture is toString'],
		[{ ...good, architectures: undefined, model_type: 'qwen2_moe' }, 'its architecture is qwen2_moe'],
		[{ ...good, architectures: undefined, model_type: 'constructor' }, 'its architecture is constructor'],
		[{}, 'its architecture is not named in config.json'],
		[{ ...good, hidden_act: 'gelu' }, 'its activation is gelu; only silu is supported.'],
		[{ ...good, rope_scaling: { type: 'dynamic', factor: 2 } }, 'its rotary positions are scaled by dynamic; only linear and llama3 are supported.'],
		[{ ...good, rope_parameters: { rope_type: 'yarn', rope_theta: 1e4 } }, 'its rotary positions are scaled by yarn'],
		[{ ...good, rope_scaling: { ...llama3, factor: 0 } }, 'factor of the rotary scaling must be a positive number, not 0'],
		[{ ...good, rope_scaling: { ...llama3, low_freq_factor: 4 } }, 'low_freq_factor 4 is not below high_freq_factor 4'],
		[{ ...good, rope_scaling: { ...llama3, original_max_position_embeddings: undefined } }, 'original_max_position_embeddings of the rotary scaling must be a positive number'],
		[{ ...good, partial_rotary_factor: 0.5 }, 'only a part of each head is rotated'],
		[{ ...good, rope_interleaved: true }, 'its rotary positions pair neighbouring channels'],
		[{ ...good, sliding_window: 64 }, 'it attends through a sliding window of 64 tokens'],
		[as('MistralForCausalLM', { sliding_window: 64 }), 'it attends through a sliding window of 64 tokens'],
		[as('Qwen2ForCausalLM', { sliding_window: 64, use_sliding_window: true, max_window_layers: 1 }), 'a sliding window of 64 tokens'],
		[as('Qwen3ForCausalLM', { sliding_window: 64, use_sliding_window: true, layer_types: ['full_attention', 'sliding_attention'] }), 'a sliding window of 64 tokens'],
		[{ ...good, quantization_config: { bits: 4 } }, 'its weights are quantized'],
		[{ ...good, hidden_size: 0 }, 'hidden_size must be a whole number above zero, not 0'],
		[{ ...good, vocab_size: undefined }, 'vocab_size must be a whole number above zero, not undefined'],
		[{ ...good, num_key_value_heads: 3 }, '4 query heads cannot share 3 key-value heads evenly'],
		[{ ...good, head_dim: 15 }, 'a head_dim of 15 cannot be run'],
		[{ ...good, rope_theta: -1 }, 'rope_theta must be a positive number, not -1'],
		[{ ...gpt2, n_head: 7 }, 'its width of 64 does not divide into 7 heads'],
		[{ ...gpt2, activation_function: 'relu' }, 'its activation is relu; only gelu_new is supported.'],
		[{ ...gpt2, scale_attn_weights: false }, 'its attention is not scaled'],
		[{ ...gpt2, scale_attn_by_inverse_layer_idx: true }, 'its attention is scaled by layer'],
		[{ ...gpt2, add_cross_attention: true }, 'it attends to an encoder'],
		[{ ...gpt2, n_positions: undefined, n_ctx: undefined }, 'n_positions must be a whole number above zero, not undefined']
	])('refuses %j', (config, message) => {
		expect(() => readConfig(config)).toThrow(message);
	});

	it('answers any JSON with a config or a sentence', () => {
		const known = [good, gpt2, as('Qwen2ForCausalLM'), as('Qwen3ForCausalLM'), as('MistralForCausalLM')];
		const keys = [...new Set(known.flatMap((config) => Object.keys(config))), 'rope_scaling', 'rope_parameters', 'layer_types', 'sliding_window'];
		fc.assert(fc.property(fc.constantFrom(...known), fc.constantFrom(...keys), fc.jsonValue(), (config, key, value) => {
			try {
				const { headDim, heads, kvHeads } = readConfig({ ...config, [key]: value });
				expect(heads % kvHeads).toBe(0);
				expect(headDim % 2).toBe(0);
			} catch (error) {
				expect(error).toBeInstanceOf(ModelError);
			}
		}), { numRuns: 300 });
	});
});

describe('frequenciesOf', () => {
	const scaled = (scaling: object | null, theta = 5e5) => frequenciesOf(readConfig({ ...good, head_dim: 64, rope_theta: theta, rope_scaling: scaling }));

	it('slows all down by a linear factor', () => {
		const plain = scaled(null);
		scaled({ type: 'linear', factor: 4 }).forEach((frequency, i) => expect(frequency).toBeCloseTo(plain[i] / 4, 15));
	});

	it('keeps the fast and slows the slow in Llama 3', () => {
		const plain = scaled(null);
		const slow = scaled(llama3);
		slow.forEach((frequency, i) => {
			const wave = (2 * Math.PI) / plain[i];
			if (wave < 8192 / 4) expect(frequency).toBeCloseTo(plain[i], 15);
			else if (wave > 8192) expect(frequency).toBeCloseTo(plain[i] / 32, 15);
			else {
				const smooth = (8192 / wave - 1) / 3;
				expect(frequency).toBeCloseTo(((1 - smooth) * plain[i]) / 32 + smooth * plain[i], 15);
			}
		});
	});

	it('turns nothing where positions are learned', () => {
		expect(frequenciesOf(readConfig(gpt2))).toEqual(new Float64Array(8));
	});
});
