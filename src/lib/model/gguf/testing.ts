/** Writes GGUF files. For tests. */
import { readConfig } from '../config.ts';
import { conversionOf, hubName } from './names.ts';

export type Entry = [key: string, type: number, value: number | boolean | string | string[] | number[], of?: number];

export interface Written {
	name: string;
	/** The number of a ggml_type. */
	type: number;
	/** Row-major, as everywhere here. */
	shape: number[];
	bytes: Uint8Array;
}

export const U32 = 4;
export const I32 = 5;
export const F32 = 6;
export const BOOL = 7;
export const STRING = 8;
export const LIST = 9;

const utf8 = new TextEncoder();

/** A file of version 3 with these entries and tensors, in this order, aligned to 32 bytes. */
export function writeGguf(entries: Entry[], tensors: Written[]): ArrayBuffer {
	const out: number[] = [];
	const number = (bytes: number, set: (view: DataView) => void) => {
		const view = new DataView(new ArrayBuffer(bytes));
		set(view);
		out.push(...new Uint8Array(view.buffer));
	};
	const u32 = (value: number) => number(4, (v) => v.setUint32(0, value, true));
	const u64 = (value: number) => number(8, (v) => v.setBigUint64(0, BigInt(value), true));
	const text = (value: string) => {
		const bytes = utf8.encode(value);
		u64(bytes.length);
		for (const byte of bytes) out.push(byte);
	};
	const one = (type: number, value: number | boolean | string) => {
		if (type === STRING) text(String(value));
		else if (type === BOOL) out.push(value ? 1 : 0);
		else if (type === F32) number(4, (v) => v.setFloat32(0, Number(value), true));
		else if (type === I32) number(4, (v) => v.setInt32(0, Number(value), true));
		else u32(Number(value));
	};
	out.push(...utf8.encode('GGUF'));
	u32(3);
	u64(tensors.length);
	u64(entries.length);
	for (const [key, type, value, of] of entries) {
		text(key);
		u32(type);
		if (type !== LIST) {
			one(type, value as number | boolean | string);
			continue;
		}
		const list = value as (number | string)[];
		u32(of!);
		u64(list.length);
		for (const item of list) one(of!, item);
	}
	let at = 0;
	for (const { name, type, shape, bytes } of tensors) {
		text(name);
		u32(shape.length);
		for (const dimension of shape.toReversed()) u64(dimension);
		u32(type);
		u64(at);
		at += padded(bytes.length);
	}
	const start = padded(out.length);
	const file = new Uint8Array(start + at);
	file.set(out);
	let place = start;
	for (const { bytes } of tensors) {
		file.set(bytes, place);
		place += padded(bytes.length);
	}
	return file.buffer;
}

const padded = (length: number): number => Math.ceil(length / 32) * 32;

/** What this model would be as GGUF: `config` as in config.json, `tokens` of a byte-level BPE without merges, tensors of a checkpoint as float32. */
export function ggufOf(config: Record<string, unknown>, tokens: string[], tensors: { name: string; shape: number[]; numbers: Float32Array }[], store: (numbers: Float32Array, shape: number[]) => Pick<Written, 'type' | 'bytes'> = asFloats): ArrayBuffer {
	const read = readConfig(config);
	const architecture = { LlamaForCausalLM: 'llama', MistralForCausalLM: 'llama', Qwen2ForCausalLM: 'qwen2', Qwen3ForCausalLM: 'qwen3', GPT2LMHeadModel: 'gpt2' }[read.architecture];
	const counts = {
		block_count: read.layers, context_length: read.context, embedding_length: read.hidden, feed_forward_length: read.intermediate,
		'attention.head_count': read.heads, 'attention.head_count_kv': read.kvHeads, 'attention.key_length': read.headDim, 'attention.value_length': read.headDim
	};
	const own = new Map<string, string>();
	for (const part of ['token_embd', 'position_embd', 'output_norm', 'output', ...Array.from({ length: read.layers }, (_, l) => PARTS.map((part) => `blk.${l}.${part}`)).flat()]) {
		for (const kind of ['weight', 'bias']) {
			const name = hubName(architecture, `${part}.${kind}`);
			if (name) own.set(name, `${part}.${kind}`);
		}
	}
	const written = tensors.map(({ name, shape, numbers }): Written => {
		const ggufName = own.get(name)!;
		const conversion = conversionOf(architecture, ggufName);
		if (conversion === 'turned') return { name: ggufName, shape: shape.toReversed(), ...store(turned(numbers, shape), shape.toReversed()) };
		const order = conversion === 'paired' ? paired(numbers, shape[0], name.includes('q_proj') ? read.heads : read.kvHeads) : numbers;
		return { name: ggufName, shape, ...store(order, shape) };
	});
	return writeGguf([
		['general.architecture', STRING, architecture], ...Object.entries(counts).map(([key, value]): Entry => [`${architecture}.${key}`, U32, value]),
		[`${architecture}.attention.layer_norm_rms_epsilon`, F32, read.eps], [`${architecture}.attention.layer_norm_epsilon`, F32, read.eps],
		[`${architecture}.rope.freq_base`, F32, read.rotary?.theta ?? 0],
		['tokenizer.ggml.model', STRING, 'gpt2'], ['tokenizer.ggml.pre', STRING, 'gpt-2'], ['tokenizer.ggml.tokens', LIST, tokens, STRING],
		['tokenizer.ggml.token_type', LIST, tokens.map((_, id) => (id < 2 ? 3 : 1)), I32], ['tokenizer.ggml.bos_token_id', U32, 0],
		['tokenizer.ggml.eos_token_id', U32, 1], ['tokenizer.ggml.add_bos_token', BOOL, true]
	], written);
}

const PARTS = ['attn_norm', 'attn_q', 'attn_k', 'attn_v', 'attn_qkv', 'attn_q_norm', 'attn_k_norm', 'attn_output', 'ffn_norm', 'ffn_gate', 'ffn_up', 'ffn_down'];

export const asFloats = (numbers: Float32Array): Pick<Written, 'type' | 'bytes'> => ({ type: 0, bytes: new Uint8Array(numbers.slice().buffer) });

function turned(numbers: Float32Array, [rows, columns]: number[]): Float32Array {
	return Float32Array.from(numbers, (_, i) => numbers[(i % rows) * columns + Math.floor(i / rows)]);
}

/** Row (head, half, i) goes to (head, i, half), as llama.cpp's converter does. */
function paired(numbers: Float32Array, rows: number, heads: number): Float32Array {
	const width = numbers.length / rows;
	const half = rows / heads / 2;
	const out = new Float32Array(numbers.length);
	for (let row = 0; row < rows; row++) {
		const [head, side, i] = [Math.floor(row / (2 * half)), Math.floor(row / half) % 2, row % half];
		out.set(numbers.subarray(row * width, (row + 1) * width), (head * 2 * half + 2 * i + side) * width);
	}
	return out;
}
