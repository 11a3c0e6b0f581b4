/**
 * A Llama decoder with its cache as an ONNX graph, in the form in which exporters give it to
 * onnxruntime: norms fused with the residual, query, key and value in one product, and
 * GroupQueryAttention, which turns, appends and attends in one operator. Logits are those of the last token.
 */
import { FLOAT, INT64, constant, external, model, node, value, type Attribute } from './proto.ts';

export interface LlamaConfig {
	hidden_size: number;
	intermediate_size: number;
	num_hidden_layers: number;
	num_attention_heads: number;
	num_key_value_heads: number;
	head_dim: number;
	vocab_size: number;
	max_position_embeddings: number;
	rope_theta: number;
	rms_norm_eps: number;
}

/** A constant of the second file, made of tensors of a checkpoint. */
export interface Piece {
	name: string;
	dims: number[];
	/** Checkpoint names, one below the other as [outputs, inputs]; products want them as [inputs, outputs]. */
	parts: string[];
	turned: boolean;
	/** Bytes from the start of the second file. */
	offset: number;
}

export interface LlamaGraph {
	/** The file model.onnx. */
	bytes: Uint8Array;
	/** What its second file holds. */
	pieces: Piece[];
	/** Bytes of the second file. */
	size: number;
}

const MICROSOFT = 'com.microsoft';

export function llamaGraph(config: LlamaConfig, dataFile: string): LlamaGraph {
	const { hidden_size: width, intermediate_size: inner, num_hidden_layers: layers, num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: dim, vocab_size: vocab } = config;
	const nodes: Uint8Array[] = [];
	const pieces: Piece[] = [];
	let size = 0;
	const stored = (name: string, dims: number[], parts: string[], turned = false) => {
		pieces.push({ name, dims, parts, turned, offset: size });
		size += Math.ceil((dims.reduce((a, b) => a * b, 1) * 4) / 4096) * 4096;
		return name;
	};
	const put = (op: string, inputs: string[], outputs: string[], attributes: Record<string, Attribute> = {}, domain = '') => {
		nodes.push(node({ op, inputs, outputs, attributes, domain }));
		return outputs[0];
	};
	const product = (x: string, out: string, inputs: number, outputs: number, ...parts: string[]) =>
		put('MatMul', [x, stored(`${out}.weight`, [inputs, outputs], parts, true)], [out]);
	const epsilon = { epsilon: { float: config.rms_norm_eps } };
	/** Norm of x + more; the sum goes on as the residual. */
	const norm = (x: string, more: string, out: string, weight: string) => {
		put('SkipSimplifiedLayerNormalization', [x, more, stored(`${out}.weight`, [width], [weight])], [out, '', '', `${out}.sum`], epsilon, MICROSOFT);
		return `${out}.sum`;
	};

	put('ReduceSum', ['attention_mask', 'one'], ['seen'], { keepdims: { int: 0 } });
	put('Sub', ['seen', 'one'], ['last']);
	put('Cast', ['last'], ['last32'], { to: { int: 6 } });
	put('Shape', ['attention_mask'], ['mask_shape']);
	put('Gather', ['mask_shape', 'one_scalar'], ['total'], { axis: { int: 0 } });
	put('Cast', ['total'], ['total32'], { to: { int: 6 } });
	let residual = put('Gather', [stored('embed', [vocab, width], ['model.embed_tokens.weight']), 'input_ids'], ['embedded']);
	let down = '';
	const columns = (heads + 2 * kvHeads) * dim;
	for (let l = 0; l < layers; l++) {
		const at = `model.layers.${l}`;
		const name = (part: string) => `l${l}.${part}`;
		if (down) residual = norm(residual, down, name('in'), `${at}.input_layernorm.weight`);
		else put('SimplifiedLayerNormalization', [residual, stored(name('in.weight'), [width], [`${at}.input_layernorm.weight`])], [name('in')], { axis: { int: -1 }, ...epsilon });
		const qkv = product(name('in'), name('qkv'), width, columns, ...['q', 'k', 'v'].map((each) => `${at}.self_attn.${each}_proj.weight`));
		put('GroupQueryAttention',
			[qkv, '', '', `past_key_values.${l}.key`, `past_key_values.${l}.value`, 'last32', 'total32', 'cos', 'sin'],
			[name('attended'), `present.${l}.key`, `present.${l}.value`],
			{ num_heads: { int: heads }, kv_num_heads: { int: kvHeads }, do_rotary: { int: 1 }, scale: { float: 1 / Math.sqrt(dim) } }, MICROSOFT);
		const o = product(name('attended'), name('o'), heads * dim, width, `${at}.self_attn.o_proj.weight`);
		residual = norm(residual, o, name('post'), `${at}.post_attention_layernorm.weight`);
		const gate = product(name('post'), name('gate'), width, inner, `${at}.mlp.gate_proj.weight`);
		const up = product(name('post'), name('up'), width, inner, `${at}.mlp.up_proj.weight`);
		put('Sigmoid', [gate], [name('sigmoid')]);
		put('Mul', [gate, name('sigmoid')], [name('silu')]);
		put('Mul', [name('silu'), up], [name('inner')]);
		down = product(name('inner'), name('down'), inner, width, `${at}.mlp.down_proj.weight`);
	}
	norm(residual, down, 'final', 'model.norm.weight');
	put('Slice', ['final', 'minus_one', 'end', 'one'], ['final_last']);
	product('final_last', 'logits', width, vocab, 'model.embed_tokens.weight');

	const whole = (name: string, dims: number[], ...numbers: number[]) =>
		constant(name, INT64, dims, new Uint8Array(BigInt64Array.from(numbers, BigInt).buffer));
	const tables = angles(config);
	const cache = (prefix: string, length: string) =>
		Array.from({ length: layers }, (_, l) => ['key', 'value'].map((which) => value(`${prefix}.${l}.${which}`, FLOAT, ['batch_size', kvHeads, length, dim]))).flat();
	return {
		bytes: model({
			nodes,
			constants: [
				...pieces.map(({ name, dims, offset }) => external(name, dims, dataFile, offset, dims.reduce((a, b) => a * b, 1) * 4)),
				whole('one', [1], 1), whole('one_scalar', [], 1), whole('minus_one', [1], -1), whole('end', [1], 2 ** 31 - 1),
				constant('cos', FLOAT, tables.dims, tables.cos), constant('sin', FLOAT, tables.dims, tables.sin)
			],
			inputs: [
				value('input_ids', INT64, ['batch_size', 'sequence_length']), value('attention_mask', INT64, ['batch_size', 'total']),
				...cache('past_key_values', 'past')
			],
			outputs: [value('logits', FLOAT, ['batch_size', 1, vocab]), ...cache('present', 'total')]
		}),
		pieces,
		size
	};
}

/** Cosines and sines of the rotary angles, [positions, headDim / 2]. */
function angles({ head_dim: dim, rope_theta: theta, max_position_embeddings: positions }: LlamaConfig) {
	const half = dim / 2;
	const table = (of: (angle: number) => number) =>
		new Uint8Array(Float32Array.from({ length: positions * half }, (_, i) => of(Math.floor(i / half) * theta ** (-2 * (i % half) / dim))).buffer);
	return { dims: [positions, half], cos: table(Math.cos), sin: table(Math.sin) };
}
