/** Reads a Hugging Face config.json and refuses, with the reason, what we cannot run. */
import { gpt2, llama, mistral, qwen2, qwen3 } from './architectures.ts';
import { ModelError } from './error.ts';
import type { Rotary } from './rotary.ts';
import { word } from './stated.ts';

/** What the forward pass, the checkpoint's names and the memory estimate are worked out from. */
export interface ModelConfig {
	architecture: Architecture;
	layers: number;
	heads: number;
	kvHeads: number;
	headDim: number;
	hidden: number;
	/** Width inside the feed-forward block. */
	intermediate: number;
	vocab: number;
	/** Positions the model was made for. */
	context: number;
	norm: 'rms' | 'layer';
	eps: number;
	/** How queries and keys turn with the position; null when positions are learned rows added to the embedding. */
	rotary: Rotary | null;
	/** Queries and keys are normed head by head before they turn. */
	qkNorm: boolean;
	mlp: 'swiglu' | 'gelu';
	/** Which projections have a bias. */
	bias: { qkv: boolean; o: boolean; mlp: boolean };
	/** The head is the embedding. */
	tied: boolean;
	/** Ids that end a text, possibly none. */
	ends: number[];
}

const ARCHITECTURES = {
	LlamaForCausalLM: llama, MistralForCausalLM: mistral, Qwen2ForCausalLM: qwen2, Qwen3ForCausalLM: qwen3, GPT2LMHeadModel: gpt2
};
export type Architecture = keyof typeof ARCHITECTURES;
/** For files that name no architecture. */
const TYPES: Record<string, Architecture> = {
	llama: 'LlamaForCausalLM', mistral: 'MistralForCausalLM', qwen2: 'Qwen2ForCausalLM', qwen3: 'Qwen3ForCausalLM', gpt2: 'GPT2LMHeadModel'
};

/** Throws ModelError with a sentence that says what stands against running the model. */
export function readConfig(json: unknown): ModelConfig {
	if (typeof json !== 'object' || json === null || Array.isArray(json)) {
		throw new ModelError('config.json does not hold a JSON object.');
	}
	const stated = json as Record<string, unknown>;
	const architecture = architectureOf(stated);
	const ends = [stated.eos_token_id ?? []].flat().filter((id): id is number => Number.isSafeInteger(id));
	const config: ModelConfig = { architecture, ...ARCHITECTURES[architecture](stated), ends };
	const { heads, kvHeads, headDim } = config;
	if (heads % kvHeads !== 0) throw new ModelError(`config.json: ${heads} query heads cannot share ${kvHeads} key-value heads evenly.`);
	if (headDim % 2 !== 0 || headDim > 256) throw new ModelError(`config.json: a head_dim of ${headDim} cannot be run; it must be even and at most 256.`);
	return config;
}

function architectureOf(stated: Record<string, unknown>): Architecture {
	const named: unknown[] = Array.isArray(stated.architectures) ? stated.architectures : [];
	const known = named.length > 0
		? named.find((name): name is Architecture => typeof name === 'string' && Object.hasOwn(ARCHITECTURES, name))
		: Object.hasOwn(TYPES, word(stated.model_type)) ? TYPES[word(stated.model_type)] : undefined;
	if (known) return known;
	const what = named.map(word).join(', ') || word(stated.model_type ?? 'not named in config.json');
	throw new ModelError(`This model cannot be run here: its architecture is ${what}; supported are ${Object.keys(ARCHITECTURES).join(', ')}.`);
}
