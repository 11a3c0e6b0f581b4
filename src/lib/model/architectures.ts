/** What config.json says, architecture by architecture, in the terms of `ModelConfig`. */
import type { ModelConfig } from './config.ts';
import { readRotary } from './rotary.ts';
import { positive, refuse, wholeNumber, word, type Stated } from './stated.ts';

type Read = Omit<ModelConfig, 'architecture' | 'ends'>;

/** RMSNorm, rotary positions and SwiGLU; what differs between the families comes as `own`. */
function llamaLike(stated: Stated, own: { qkNorm?: boolean; qkvBias?: boolean; headDim?: number; window: number | null }): Read {
	const hidden = wholeNumber(stated, 'hidden_size');
	const heads = wholeNumber(stated, 'num_attention_heads');
	const context = wholeNumber(stated, 'max_position_embeddings');
	refuseActivation(stated.hidden_act ?? 'silu', ['silu', 'swish']);
	refuseQuantized(stated);
	if (own.window !== null && own.window < context) refuse(`it attends through a sliding window of ${own.window} tokens.`);
	const attentionBias = stated.attention_bias === true;
	return {
		layers: wholeNumber(stated, 'num_hidden_layers'), heads,
		kvHeads: wholeNumber(stated, 'num_key_value_heads', heads),
		headDim: wholeNumber(stated, 'head_dim', own.headDim ?? Math.floor(hidden / heads)),
		hidden, intermediate: wholeNumber(stated, 'intermediate_size'),
		vocab: wholeNumber(stated, 'vocab_size'), context,
		norm: 'rms', eps: positive(stated.rms_norm_eps ?? 1e-6, 'rms_norm_eps'),
		rotary: readRotary(stated),
		qkNorm: own.qkNorm ?? false,
		mlp: 'swiglu',
		bias: { qkv: attentionBias || (own.qkvBias ?? false), o: attentionBias, mlp: stated.mlp_bias === true },
		tied: stated.tie_word_embeddings === true
	};
}

export const llama = (stated: Stated): Read => llamaLike(stated, { window: windowOf(stated, stated.use_sliding_window !== false) });

export const mistral = (stated: Stated): Read =>
	llamaLike({ ...stated, attention_bias: false, mlp_bias: false }, { window: windowOf(stated, true) });

/** Biases of query, key and value are not a choice here, whatever the file says. */
export const qwen2 = (stated: Stated): Read =>
	llamaLike({ ...stated, attention_bias: false, mlp_bias: false }, { qkvBias: true, window: qwenWindow(stated) });

export const qwen3 = (stated: Stated): Read =>
	llamaLike({ ...stated, mlp_bias: false }, { qkNorm: true, headDim: 128, window: qwenWindow(stated) });

/** Radford et al. 2019: LayerNorm before each block, learned positions, every query head with its own keys. */
export function gpt2(stated: Stated): Read {
	const hidden = wholeNumber(stated, 'n_embd');
	const heads = wholeNumber(stated, 'n_head');
	if (hidden % heads !== 0) refuse(`its width of ${hidden} does not divide into ${heads} heads.`);
	refuseActivation(stated.activation_function ?? 'gelu_new', ['gelu_new', 'gelu_pytorch_tanh']);
	refuseQuantized(stated);
	if (stated.scale_attn_weights === false) refuse('its attention is not scaled (scale_attn_weights).');
	if (stated.scale_attn_by_inverse_layer_idx === true) refuse('its attention is scaled by layer (scale_attn_by_inverse_layer_idx).');
	if (stated.add_cross_attention === true) refuse('it attends to an encoder (add_cross_attention).');
	return {
		layers: wholeNumber(stated, 'n_layer'), heads, kvHeads: heads, headDim: hidden / heads, hidden,
		intermediate: wholeNumber(stated, 'n_inner', 4 * hidden),
		vocab: wholeNumber(stated, 'vocab_size'), context: wholeNumber(stated, 'n_positions', stated.n_ctx as number | undefined),
		norm: 'layer', eps: positive(stated.layer_norm_epsilon ?? 1e-5, 'layer_norm_epsilon'),
		rotary: null, qkNorm: false, mlp: 'gelu', bias: { qkv: true, o: true, mlp: true },
		tied: stated.tie_word_embeddings !== false
	};
}

function refuseActivation(stated: unknown, known: string[]): void {
	if (!known.includes(word(stated))) refuse(`its activation is ${word(stated)}; only ${known[0]} is supported.`);
}

function refuseQuantized(stated: Stated): void {
	if (stated.quantization_config != null) refuse('its weights are quantized (quantization_config).');
}

/** Tokens that a layer looks back on, or null when every layer sees them all. `slides`: what holds unless layers are listed one by one. */
function windowOf(stated: Stated, slides: boolean): number | null {
	const types = stated.layer_types;
	const some = Array.isArray(types) ? types.some((type) => type !== 'full_attention') : slides;
	return some && stated.sliding_window != null ? wholeNumber(stated, 'sliding_window') : null;
}

/** Only the layers from max_window_layers on slide, and none unless use_sliding_window says so. */
function qwenWindow(stated: Stated): number | null {
	if (stated.use_sliding_window !== true) return null;
	return windowOf(stated, wholeNumber(stated, 'max_window_layers', 28) < wholeNumber(stated, 'num_hidden_layers'));
}
