/** The shapes that are measured: configurations as in config.json. */
import type { LlamaConfig } from '../peers/onnx/llama.ts';

export type ShapeName = 'smollm2-135m' | 'nano';

/** Longest context of the sweep and room for the steps measured there. */
const POSITIONS = 10240;

const common = { architectures: ['LlamaForCausalLM'], model_type: 'llama', hidden_act: 'silu', tie_word_embeddings: true, bos_token_id: 0, eos_token_id: 1 };

const SHAPES: Record<ShapeName, LlamaConfig> = {
	'smollm2-135m': {
		hidden_size: 576, intermediate_size: 1536, num_hidden_layers: 30, num_attention_heads: 9, num_key_value_heads: 3,
		head_dim: 64, vocab_size: 49152, max_position_embeddings: POSITIONS, rope_theta: 100000, rms_norm_eps: 1e-5
	},
	nano: {
		hidden_size: 256, intermediate_size: 512, num_hidden_layers: 8, num_attention_heads: 8, num_key_value_heads: 4,
		head_dim: 32, vocab_size: 4096, max_position_embeddings: POSITIONS, rope_theta: 10000, rms_norm_eps: 1e-5
	}
};

export type Config = LlamaConfig & typeof common & Record<string, unknown>;

/** `layers` and `vocab` make a smaller one of the same widths, to try the bench out. */
export function shapeOf(name: ShapeName, smaller: { layers?: number; vocab?: number } = {}): Config {
	const shape = SHAPES[name];
	return {
		...common, ...shape,
		num_hidden_layers: Math.min(smaller.layers ?? Infinity, shape.num_hidden_layers),
		vocab_size: Math.min(smaller.vocab ?? Infinity, shape.vocab_size),
		// How transformers.js is told that the numbers lie in a second file.
		'transformers.js_config': { use_external_data_format: true }
	};
}

export function wordsOf({ hidden_size, num_hidden_layers, num_attention_heads, num_key_value_heads, head_dim, intermediate_size, vocab_size }: LlamaConfig): string {
	return `width ${hidden_size}, ${num_hidden_layers} layers, ${num_attention_heads} query heads over ${num_key_value_heads} KV heads of ${head_dim}, feed-forward ${intermediate_size}, vocabulary ${vocab_size}`;
}
