/** The metadata of a GGUF file as a config.json of Hugging Face would put it. */
import { inverseFrequencies } from '$lib/numerics/rope.ts';
import { ModelError } from '../error.ts';
import type { GgufHeader, GgufValue } from './header.ts';

/** general.architecture -> what config.json calls it. Others are refused by `readConfig`, by their name. */
const ARCHITECTURES = new Map([
	['llama', 'LlamaForCausalLM'], ['qwen2', 'Qwen2ForCausalLM'], ['qwen3', 'Qwen3ForCausalLM'], ['gpt2', 'GPT2LMHeadModel']
]);

export function architectureOf({ metadata }: GgufHeader, label: string): string {
	const architecture = metadata.get('general.architecture');
	if (typeof architecture === 'string' && architecture !== '') return architecture;
	throw new ModelError(`${label} does not name its architecture (general.architecture). It may hold something else than a language model.`);
}

/**
 * Contents of config.json. `frequencies`: the numbers of the tensor rope_freqs.weight, by which the
 * rotary frequencies are to be divided. Throws ModelError for what the metadata leave out.
 */
export function configOf(header: GgufHeader, label: string, frequencies: Float32Array | null): Record<string, unknown> {
	const architecture = architectureOf(header, label);
	const read = reader(header.metadata, architecture, label);
	// A mixture of experts has other tensors altogether.
	if ((read.optional('expert_count') ?? 0) !== 0) throw new ModelError('This model cannot be run here: it is a mixture of experts.');
	const tokens = header.metadata.get('tokenizer.ggml.tokens');
	const common = {
		architectures: [ARCHITECTURES.get(architecture) ?? architecture],
		// The embedding has a row a token, whatever a file says beside it.
		vocab_size: header.tensors.get('token_embd.weight')?.shape[0] ?? (Array.isArray(tokens) ? tokens.length : undefined),
		tie_word_embeddings: !header.tensors.has('output.weight'),
		eos_token_id: ['eos', 'eot'].map((end) => header.metadata.get(`tokenizer.ggml.${end}_token_id`)).filter((id) => typeof id === 'number')
	};
	if (architecture === 'gpt2') {
		return {
			...common, n_embd: read.needed('embedding_length'), n_head: read.needed('attention.head_count'), n_layer: read.needed('block_count'),
			n_positions: read.needed('context_length'), n_inner: read.needed('feed_forward_length'),
			layer_norm_epsilon: single(read.needed('attention.layer_norm_epsilon'))
		};
	}
	const hidden = read.needed('embedding_length');
	const heads = read.needed('attention.head_count');
	const headDim = read.optional('attention.key_length') ?? hidden / heads;
	const theta = read.optional('rope.freq_base') ?? 10000;
	const turned = read.optional('rope.dimension_count') ?? headDim;
	const window = read.optional('attention.sliding_window') ?? 0;
	const valueDim = read.optional('attention.value_length') ?? headDim;
	if (valueDim !== headDim) throw new ModelError(`This model cannot be run here: its values are ${valueDim} numbers wide, its keys ${headDim}.`);
	return {
		...common, hidden_size: hidden, intermediate_size: read.needed('feed_forward_length'), num_hidden_layers: read.needed('block_count'),
		num_attention_heads: heads, num_key_value_heads: read.optional('attention.head_count_kv') ?? heads, head_dim: headDim,
		max_position_embeddings: read.needed('context_length'), rms_norm_eps: single(read.needed('attention.layer_norm_rms_epsilon')),
		rope_theta: theta, rope_scaling: scaling(read, headDim, theta, frequencies),
		...(turned === headDim ? {} : { partial_rotary_factor: turned / headDim }),
		...(window > 0 ? { sliding_window: window, use_sliding_window: true, max_window_layers: 0 } : {}),
		attention_bias: header.tensors.has('blk.0.attn_output.bias'),
		mlp_bias: header.tensors.has('blk.0.ffn_gate.bias')
	};
}

/** Metadata hold 32-bit floats where config.json has their decimal form: 1e-5, not 0.0000099999997. */
const single = (value: number): number => Number(value.toPrecision(7));

type Reader = ReturnType<typeof reader>;

function reader(metadata: ReadonlyMap<string, GgufValue>, architecture: string, label: string) {
	const optional = (name: string): number | undefined => {
		const value = metadata.get(`${architecture}.${name}`);
		if (value === undefined || typeof value === 'number') return value;
		throw new ModelError(`${label} cannot be run here: ${architecture}.${name} is not one number but ${typeof value === 'object' ? 'another for each layer' : typeof value}.`);
	};
	return {
		optional,
		needed(name: string): number {
			const value = optional(name);
			if (value !== undefined) return value;
			throw new ModelError(`${label} does not say ${architecture}.${name}, which is needed to run it.`);
		},
		text: (name: string) => metadata.get(`${architecture}.${name}`)
	};
}

function scaling(read: Reader, headDim: number, theta: number, frequencies: Float32Array | null): object | null {
	if (frequencies) return llama3Scaling(headDim, theta, frequencies);
	const kind = read.text('rope.scaling.type') ?? 'none';
	return kind === 'none' ? null : { rope_type: kind, factor: read.optional('rope.scaling.factor') };
}

/**
 * Llama 3.1 and 3.2 are stored with one divisor a frequency instead of the rule that made it. All of
 * them were made with these numbers and a factor, which the slowest frequency shows.
 */
function llama3Scaling(headDim: number, theta: number, divisors: Float32Array): object {
	const own = () => new ModelError('This model cannot be run here: its rotary positions are scaled in a way of its own (rope_freqs.weight).');
	if (2 * divisors.length !== headDim) throw own();
	const rule = { rope_type: 'llama3', factor: single(divisors.at(-1)!), low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };
	const made = inverseFrequencies(headDim, theta).map((frequency) => {
		const turns = (rule.original_max_position_embeddings * frequency) / (2 * Math.PI);
		const share = Math.min(1, Math.max(0, (turns - 1) / 3));
		return 1 / (share + (1 - share) / rule.factor);
	});
	if (!made.every((divisor, i) => Math.abs(divisor - divisors[i]) <= 1e-4 * divisor)) throw own();
	return rule;
}
