/**
 * Models that are known to run here. Facts of their config.json only; sizes are read from the hub
 * when one is chosen, since they change and depend on the files.
 */
export interface CuratedModel {
	id: string;
	name: string;
	/** As config.json names it. */
	architecture: 'LlamaForCausalLM' | 'Qwen2ForCausalLM' | 'Qwen3ForCausalLM' | 'GPT2LMHeadModel';
	layers: number;
	/** Query heads, and heads of keys and values that they share. */
	heads: number;
	kvHeads: number;
	/** Tokens that it was made for. */
	context: number;
	/** `chat`: tuned to answer; `base`: writes on. */
	kind: 'base' | 'chat';
}

export const CURATED: readonly CuratedModel[] = [
	{ id: 'hf:HuggingFaceTB/SmolLM2-135M-Instruct', name: 'SmolLM2 135M Instruct', architecture: 'LlamaForCausalLM', layers: 30, heads: 9, kvHeads: 3, context: 8192, kind: 'chat' },
	{ id: 'hf:HuggingFaceTB/SmolLM2-135M', name: 'SmolLM2 135M', architecture: 'LlamaForCausalLM', layers: 30, heads: 9, kvHeads: 3, context: 8192, kind: 'base' },
	{ id: 'hf:openai-community/gpt2', name: 'GPT-2', architecture: 'GPT2LMHeadModel', layers: 12, heads: 12, kvHeads: 12, context: 1024, kind: 'base' },
	{ id: 'hf:HuggingFaceTB/SmolLM2-360M-Instruct', name: 'SmolLM2 360M Instruct', architecture: 'LlamaForCausalLM', layers: 32, heads: 15, kvHeads: 5, context: 8192, kind: 'chat' },
	{ id: 'hf:HuggingFaceTB/SmolLM2-360M', name: 'SmolLM2 360M', architecture: 'LlamaForCausalLM', layers: 32, heads: 15, kvHeads: 5, context: 8192, kind: 'base' },
	{ id: 'hf:Qwen/Qwen2.5-0.5B-Instruct', name: 'Qwen2.5 0.5B Instruct', architecture: 'Qwen2ForCausalLM', layers: 24, heads: 14, kvHeads: 2, context: 32768, kind: 'chat' },
	{ id: 'hf:Qwen/Qwen3-0.6B', name: 'Qwen3 0.6B', architecture: 'Qwen3ForCausalLM', layers: 28, heads: 16, kvHeads: 8, context: 40960, kind: 'chat' },
	{ id: 'hf:TinyLlama/TinyLlama-1.1B-Chat-v1.0', name: 'TinyLlama 1.1B Chat', architecture: 'LlamaForCausalLM', layers: 22, heads: 32, kvHeads: 4, context: 2048, kind: 'chat' },
	{ id: 'hf:unsloth/Llama-3.2-1B', name: 'Llama 3.2 1B', architecture: 'LlamaForCausalLM', layers: 16, heads: 32, kvHeads: 8, context: 131072, kind: 'base' }
];
