/** Where GGUF and Hugging Face name the same tensor differently. */

/** Parts of a layer, GGUF -> Hugging Face, for Llama and the models built like it. */
const LLAMA_LAYER: Record<string, string> = {
	attn_norm: 'input_layernorm', attn_q: 'self_attn.q_proj', attn_k: 'self_attn.k_proj', attn_v: 'self_attn.v_proj',
	attn_q_norm: 'self_attn.q_norm', attn_k_norm: 'self_attn.k_norm', attn_output: 'self_attn.o_proj',
	ffn_norm: 'post_attention_layernorm', ffn_gate: 'mlp.gate_proj', ffn_up: 'mlp.up_proj', ffn_down: 'mlp.down_proj'
};
const LLAMA_TOP: Record<string, string> = { token_embd: 'model.embed_tokens', output_norm: 'model.norm', output: 'lm_head' };

const GPT2_LAYER: Record<string, string> = {
	attn_norm: 'ln_1', attn_qkv: 'attn.c_attn', attn_output: 'attn.c_proj', ffn_norm: 'ln_2', ffn_up: 'mlp.c_fc', ffn_down: 'mlp.c_proj'
};
const GPT2_TOP: Record<string, string> = {
	token_embd: 'transformer.wte', position_embd: 'transformer.wpe', output_norm: 'transformer.ln_f', output: 'lm_head'
};

/** The name at Hugging Face of a tensor of a GGUF file; null for one that Hugging Face does not store. */
export function hubName(architecture: string, name: string): string | null {
	const gpt2 = architecture === 'gpt2';
	const [, layer, part, kind] = /^(?:blk\.(\d+)\.)?(\w+)\.(weight|bias)$/.exec(name) ?? [];
	if (!part) return null;
	const names = layer === undefined ? (gpt2 ? GPT2_TOP : LLAMA_TOP) : gpt2 ? GPT2_LAYER : LLAMA_LAYER;
	if (!Object.hasOwn(names, part)) return null;
	const at = layer === undefined ? '' : `${gpt2 ? 'transformer.h' : 'model.layers'}.${layer}.`;
	return `${at}${names[part]}.${kind}`;
}

/**
 * What llama.cpp's converter has done to a tensor, to be undone: `paired` puts the two halves of each
 * query or key head side by side (channel i beside channel i + headDim/2), because the llama
 * architecture there rotates neighbours; `turned` writes GPT-2's [inputs, outputs] as [outputs, inputs].
 */
export function conversionOf(architecture: string, name: string): 'paired' | 'turned' | null {
	if (architecture === 'llama') return /\.attn_[qk]\.(weight|bias)$/.test(name) ? 'paired' : null;
	if (architecture === 'gpt2') return /^blk\.\d+\.(attn_qkv|attn_output|ffn_up|ffn_down)\.weight$/.test(name) ? 'turned' : null;
	return null;
}

/** Rows of `heads` heads in Hugging Face's order, from rows paired as above; rows are moved as bytes, so any dtype will do. */
export function unpaired(bytes: Uint8Array, heads: number, rows: number): Uint8Array<ArrayBuffer> {
	const out = new Uint8Array(bytes.length);
	const size = bytes.length / rows;
	const headDim = rows / heads;
	for (let row = 0; row < rows; row++) {
		const head = Math.floor(row / headDim) * headDim;
		const channel = row % headDim;
		const from = head + (channel < headDim / 2 ? 2 * channel : 2 * channel - headDim + 1);
		out.set(bytes.subarray(from * size, (from + 1) * size), row * size);
	}
	return out;
}
