/** Checkpoints and decoders without files. For tests. */
import { checkpointOf, type ProjectionNames } from './checkpoint.ts';
import { readConfig, type ModelConfig } from './config.ts';
import { TransformerDecoder } from './decoder.ts';
import { HF_RANDOM, randomLlama } from './random-llama.ts';
import { readSafetensors } from './safetensors.ts';
import type { StoredTensor, TensorSource } from './stored.ts';
import { placeWeights, type Placement } from './weights.ts';

export type Stored = Map<string, StoredTensor>;

/** One small config.json of each kind, with rows that fit every format of weights. */
export const SMALL: Record<string, Record<string, unknown>> = {
	Llama: {
		architectures: ['LlamaForCausalLM'], vocab_size: 258, hidden_size: 64, intermediate_size: 96, num_hidden_layers: 2,
		num_attention_heads: 4, num_key_value_heads: 2, max_position_embeddings: 64, tie_word_embeddings: true
	},
	Qwen2: {
		architectures: ['Qwen2ForCausalLM'], vocab_size: 258, hidden_size: 64, intermediate_size: 96, num_hidden_layers: 2,
		num_attention_heads: 4, num_key_value_heads: 1, max_position_embeddings: 64
	},
	Qwen3: {
		architectures: ['Qwen3ForCausalLM'], vocab_size: 258, hidden_size: 64, intermediate_size: 96, num_hidden_layers: 2,
		num_attention_heads: 3, num_key_value_heads: 1, head_dim: 32, max_position_embeddings: 64
	},
	'GPT-2': { architectures: ['GPT2LMHeadModel'], vocab_size: 258, n_embd: 64, n_head: 4, n_layer: 2, n_positions: 64 }
};

/** The tensors of a random model. */
export async function storedOf(json: Record<string, unknown>): Promise<Stored> {
	return readSafetensors((await randomLlama(json, HF_RANDOM).bytes('model.safetensors'))!, 'random');
}

export function sourceOf(stored: Stored, onRead: (name: string) => void = () => {}): TensorSource {
	return {
		names: () => [...stored.keys()],
		describe: (name) => stored.get(name),
		tensor: async (name) => {
			onRead(name);
			return stored.get(name)!;
		}
	};
}

export async function decoderOf(source: TensorSource, config: ModelConfig, placement?: Placement): Promise<TransformerDecoder> {
	const shape = { ...config, id: 'm', name: 'm', ropeTheta: config.rotary?.theta ?? 0, weights: 0 };
	return new TransformerDecoder(shape, config, await placeWeights(source, config, placement));
}

export const decoderOfJson = (stored: Stored, json: Record<string, unknown>, placement?: Placement) => decoderOf(sourceOf(stored), readConfig(json), placement);

/** Every product of the forward pass but the head. */
export function projectionsOf(config: ModelConfig): ProjectionNames[] {
	const checkpoint = checkpointOf(config);
	return Array.from({ length: config.layers }, (_, l) => checkpoint.layer(l)).flatMap(({ qkv, o, up, down }) => [qkv, o, up, down]);
}
