/** Reads a Hugging Face config.json of the Llama family and refuses, with the reason, what we cannot run. */
import { ModelError } from './safetensors.ts';

export interface LlamaConfig {
	layers: number;
	heads: number;
	kvHeads: number;
	headDim: number;
	hidden: number;
	intermediate: number;
	vocab: number;
	context: number;
	ropeTheta: number;
	eps: number;
	tied: boolean;
	/** Ids that end a text, possibly none. */
	ends: number[];
}

/** Throws ModelError with a sentence that says what stands against running the model. */
export function readConfig(json: unknown): LlamaConfig {
	if (typeof json !== 'object' || json === null || Array.isArray(json)) {
		throw new ModelError('config.json does not hold a JSON object.');
	}
	const config = json as Record<string, unknown>;
	refuseOthers(config);
	const whole = (name: string, fallback?: number) => wholeNumber(config, name, fallback);
	const hidden = whole('hidden_size');
	const heads = whole('num_attention_heads');
	const kvHeads = whole('num_key_value_heads', heads);
	const headDim = whole('head_dim', Math.floor(hidden / heads));
	if (heads % kvHeads !== 0) throw new ModelError(`config.json: ${heads} query heads cannot share ${kvHeads} key-value heads evenly.`);
	if (headDim % 2 !== 0 || headDim > 256) throw new ModelError(`config.json: a head_dim of ${headDim} cannot be run; it must be even and at most 256.`);
	return {
		layers: whole('num_hidden_layers'), heads, kvHeads, headDim, hidden,
		intermediate: whole('intermediate_size'),
		vocab: whole('vocab_size'),
		context: whole('max_position_embeddings'),
		ropeTheta: ropeTheta(config),
		eps: positive(config.rms_norm_eps ?? 1e-6, 'rms_norm_eps'),
		tied: config.tie_word_embeddings === true,
		ends: [config.eos_token_id ?? []].flat().filter((id): id is number => Number.isSafeInteger(id))
	};
}

function refuseOthers(config: Record<string, unknown>): void {
	const refuse = (reason: string): never => {
		throw new ModelError(`This model cannot be run here: ${reason}`);
	};
	const architectures = Array.isArray(config.architectures) ? config.architectures : [];
	if (architectures.length > 0 ? !architectures.includes('LlamaForCausalLM') : config.model_type !== 'llama') {
		const what = architectures.join(', ') || String(config.model_type ?? 'not named in config.json');
		refuse(`its architecture is ${what}; only LlamaForCausalLM is supported.`);
	}
	if (config.attention_bias === true) refuse('its attention projections have biases (attention_bias).');
	if (config.mlp_bias === true) refuse('its feed-forward projections have biases (mlp_bias).');
	const act = config.hidden_act ?? 'silu';
	if (act !== 'silu' && act !== 'swish') refuse(`its activation is ${String(act)}; only silu is supported.`);
	const rope = ropeParameters(config);
	const kind = rope.rope_type ?? rope.type ?? 'default';
	if (kind !== 'default') refuse(`its rotary positions are scaled (${String(kind)}), which is not supported.`);
	const partial = config.partial_rotary_factor ?? rope.partial_rotary_factor ?? 1;
	if (partial !== 1) refuse(`only a part of each head is rotated (partial_rotary_factor ${String(partial)}).`);
	if (config.rope_interleaved === true) refuse('its rotary positions pair neighbouring channels (rope_interleaved).');
	if (config.sliding_window != null && config.use_sliding_window !== false) {
		refuse(`it attends through a sliding window of ${String(config.sliding_window)} tokens.`);
	}
	if (config.quantization_config != null) refuse('its weights are quantized (quantization_config).');
}

/** Newer files keep theta in `rope_parameters`, older ones beside an optional `rope_scaling`. */
function ropeParameters(config: Record<string, unknown>): Record<string, unknown> {
	return { ...(config.rope_scaling as object | null), ...(config.rope_parameters as object | null) };
}

function ropeTheta(config: Record<string, unknown>): number {
	return positive(ropeParameters(config).rope_theta ?? config.rope_theta ?? 10000, 'rope_theta');
}

function positive(value: unknown, name: string): number {
	if (typeof value !== 'number' || !(value > 0) || !Number.isFinite(value)) {
		throw new ModelError(`config.json: ${name} must be a positive number, not ${String(value)}.`);
	}
	return value;
}

function wholeNumber(config: Record<string, unknown>, name: string, fallback?: number): number {
	const value = config[name] ?? fallback;
	if (!Number.isSafeInteger(value) || (value as number) < 1) {
		throw new ModelError(`config.json: ${name} must be a whole number above zero, not ${String(value)}.`);
	}
	return value as number;
}
