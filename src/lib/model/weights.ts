/** Finds the tensors of a Llama checkpoint, checks their shapes and puts them on the device. */
import type { Tensor } from '@tensorflow/tfjs-core';
import { makeWeight, persistentFrom, type Weight } from '$lib/ops/index.ts';
import type { LlamaConfig } from './config.ts';
import { ModelError, toFloat32, type StoredTensor } from './safetensors.ts';

export interface LayerWeights {
	inputNorm: Tensor;
	/** Query, key and value projections, one below the other. */
	qkv: Weight;
	o: Weight;
	postNorm: Tensor;
	/** Gate above up. */
	gateUp: Weight;
	down: Weight;
}

export interface Weights {
	/** [vocab, hidden] as stored; rows are decoded when they are looked up. */
	embedding: StoredTensor;
	layers: LayerWeights[];
	norm: Tensor;
	head: Weight;
	/** Number of weights. */
	count: number;
}

/** Throws ModelError if a tensor is missing or has another shape than config.json says; nothing stays on the device then. */
export function placeWeights(stored: Map<string, StoredTensor>, config: LlamaConfig): Weights {
	const placed: Tensor[] = [];
	try {
		return place(stored, config, placed);
	} catch (error) {
		for (const tensor of placed) tensor.dispose();
		throw error;
	}
}

function place(stored: Map<string, StoredTensor>, config: LlamaConfig, placed: Tensor[]): Weights {
	const { hidden, heads, kvHeads, headDim, intermediate, vocab } = config;
	let count = 0;
	const take = (name: string, ...shape: number[]): StoredTensor => {
		const tensor = stored.get(name);
		if (!tensor) throw new ModelError(`The weights have no tensor ${name}, which a Llama model of ${config.layers} layers needs.`);
		if (tensor.shape.join() !== shape.join()) {
			throw new ModelError(`${name} has shape ${tensor.shape.join(' x ')}, but config.json asks for ${shape.join(' x ')}.`);
		}
		count += shape.reduce((a, b) => a * b, 1);
		return tensor;
	};
	const weight = (numbers: Float32Array, inputs: number) => {
		const made = makeWeight(numbers, numbers.length / inputs, inputs);
		placed.push(made.tensor);
		return made;
	};
	const vector = (name: string) => {
		const tensor = persistentFrom(toFloat32(take(name, hidden)), [hidden]);
		placed.push(tensor);
		return tensor;
	};
	const stack = (inputs: number, ...parts: [name: string, outputs: number][]) => {
		const arrays = parts.map(([name, outputs]) => toFloat32(take(name, outputs, inputs)));
		const joined = arrays.length === 1 ? arrays[0] : new Float32Array(arrays.reduce((n, a) => n + a.length, 0));
		if (arrays.length > 1) arrays.reduce((at, a) => (joined.set(a, at), at + a.length), 0);
		return weight(joined, inputs);
	};
	const layers = Array.from({ length: config.layers }, (_, l): LayerWeights => {
		const at = `model.layers.${l}.`;
		return {
			inputNorm: vector(`${at}input_layernorm.weight`),
			qkv: stack(hidden,
				[`${at}self_attn.q_proj.weight`, heads * headDim],
				[`${at}self_attn.k_proj.weight`, kvHeads * headDim],
				[`${at}self_attn.v_proj.weight`, kvHeads * headDim]),
			o: stack(heads * headDim, [`${at}self_attn.o_proj.weight`, hidden]),
			postNorm: vector(`${at}post_attention_layernorm.weight`),
			gateUp: stack(hidden, [`${at}mlp.gate_proj.weight`, intermediate], [`${at}mlp.up_proj.weight`, intermediate]),
			down: stack(intermediate, [`${at}mlp.down_proj.weight`, hidden])
		};
	});
	const table = take('model.embed_tokens.weight', vocab, hidden);
	// Its own bytes, so that the rest of the file can be let go.
	const embedding = { ...table, bytes: table.bytes.slice() };
	const norm = vector('model.norm.weight');
	const head = config.tied
		? weight(toFloat32(embedding), hidden)
		: stack(hidden, ['lm_head.weight', vocab]);
	return { embedding, layers, norm, head, count };
}

/** All device tensors, for disposal. */
export function tensorsOf({ layers, norm, head }: Weights): Tensor[] {
	return [
		...layers.flatMap((l) => [l.inputNorm, l.qkv.tensor, l.o.tensor, l.postNorm, l.gateUp.tensor, l.down.tensor]),
		norm,
		head.tensor
	];
}
