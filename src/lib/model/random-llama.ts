/** A model directory in memory, of any architecture, with random weights that other languages can make too. For tests. */
import { fixtureNormal } from '$lib/numerics/fixture.ts';
import { tensorShapes } from './checkpoint.ts';
import { readConfig } from './config.ts';
import type { ModelSource } from './source.ts';

export interface RandomRecipe {
	/** Weights of tensor NAME come from the stream `prefix/NAME`. */
	prefix: string;
	/** Scale of a matrix with this many inputs (embeddings keep 1). */
	matrix(inputs: number): number;
	/** Norm weights are 1 + norm x z. */
	norm: number;
	/** Biases are bias x z; left out, they are 0. */
	bias?: number;
}

/** The recipe of conformance/hf_reference.py. */
export const HF_RANDOM: RandomRecipe = { prefix: 'hf-random', matrix: (inputs) => 1.5 / Math.sqrt(inputs), norm: 0.3, bias: 0.5 };

/** `config` as in config.json. Tokens of the tokenizer are single bytes, so texts are possible too. */
export function randomLlama(config: Record<string, unknown>, recipe: RandomRecipe): ModelSource {
	return memorySource('random', { 'config.json': config, 'tokenizer.json': byteTokenizer() }, randomWeights(config, recipe));
}

function randomWeights(config: Record<string, unknown>, recipe: RandomRecipe): ArrayBuffer {
	return writeSafetensors([...tensorShapes(readConfig(config))].map(([name, shape]) => {
		const numbers = fixtureNormal(`${recipe.prefix}/${name}`, shape.reduce((a, b) => a * b, 1));
		const norm = Math.fround(recipe.norm);
		const bias = Math.fround(recipe.bias ?? 0);
		// GPT-2 keeps its projections as [inputs, outputs].
		const scale = Math.fround(recipe.matrix(name.includes('.c_') ? shape[0] : shape[shape.length - 1]));
		for (let i = 0; i < numbers.length; i++) {
			if (name.endsWith('bias')) numbers[i] = bias * numbers[i];
			else if (/norm|\.ln_/.test(name)) numbers[i] = 1 + Math.fround(norm * numbers[i]);
			else if (!/embed|wte|wpe/.test(name)) numbers[i] = scale * numbers[i];
		}
		return { name, dtype: 'F32', shape, bytes: new Uint8Array(numbers.buffer) };
	}));
}

/** A safetensors file of these tensors, in this order. */
export function writeSafetensors(tensors: { name: string; dtype: string; shape: number[]; bytes: Uint8Array }[]): ArrayBuffer {
	let at = 0;
	const header: Record<string, unknown> = {};
	for (const { name, dtype, shape, bytes } of tensors) {
		header[name] = { dtype, shape, data_offsets: [at, at + bytes.length] };
		at += bytes.length;
	}
	const text = new TextEncoder().encode(JSON.stringify(header));
	const file = new Uint8Array(8 + text.length + at);
	new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
	file.set(text, 8);
	let place = 8 + text.length;
	for (const { bytes } of tensors) {
		file.set(bytes, place);
		place += bytes.length;
	}
	return file.buffer;
}

/** A directory in memory. */
export function memorySource(id: string, files: Record<string, unknown>, weights: ArrayBuffer | null): ModelSource {
	return {
		id,
		place: `memory:${id}`,
		json: async (file) => files[file] ?? null,
		bytes: async (file, onBytes) => {
			if (file !== 'model.safetensors' || !weights) return null;
			onBytes?.(weights.byteLength, weights.byteLength);
			return weights;
		}
	};
}

/** Byte-level BPE without merges: two special tokens, then one token a byte. */
function byteTokenizer(): object {
	const printable = (b: number) => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || (b >= 174 && b <= 255);
	let others = 0;
	const bytes = Array.from({ length: 256 }, (_, b) => String.fromCharCode(printable(b) ? b : 256 + others++));
	const tokens = ['<|bos|>', '<|end|>', ...bytes];
	const added = [0, 1].map((id) => ({ id, content: tokens[id], single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }));
	return {
		version: '1.0', truncation: null, padding: null, added_tokens: added, normalizer: null,
		pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
		post_processor: {
			type: 'TemplateProcessing',
			single: [{ SpecialToken: { id: '<|bos|>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
			pair: [],
			special_tokens: { '<|bos|>': { id: '<|bos|>', ids: [0], tokens: ['<|bos|>'] } }
		},
		decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
		model: {
			type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null,
			fuse_unk: false, byte_fallback: false, vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges: []
		}
	};
}
