/** Names and shapes of a checkpoint's tensors, as Hugging Face stores them. */
import type { ModelConfig } from './config.ts';

export interface NormNames {
	weight: string;
	/** LayerNorm has one. */
	bias: string | null;
}

/** One product of the forward pass; its parts lie one below the other, outputs in this order. */
export interface ProjectionNames {
	inputs: number;
	outputs: number;
	parts: { weight: string; bias: string | null; outputs: number }[];
	/** The file has [inputs, outputs], as GPT-2's Conv1D; otherwise [outputs, inputs]. */
	inputsFirst: boolean;
}

export interface LayerNames {
	inputNorm: NormNames;
	/** Query, key, value. */
	qkv: ProjectionNames;
	/** Norms of queries and keys, each over one head. */
	queryNorm: string | null;
	keyNorm: string | null;
	o: ProjectionNames;
	postNorm: NormNames;
	/** Gate above up, or up alone where there is no gate. */
	up: ProjectionNames;
	down: ProjectionNames;
}

export interface Checkpoint {
	/** [vocab, hidden] */
	embedding: string;
	/** [context, hidden] where positions are learned. */
	positions: string | null;
	/** By index: a damaged config.json may speak of any number of layers. */
	layer(l: number): LayerNames;
	norm: NormNames;
	/** Null when the head is the embedding. */
	head: ProjectionNames | null;
}

export function checkpointOf(config: ModelConfig): Checkpoint {
	const { hidden, vocab, tied } = config;
	const head = tied ? null : projection(hidden, false, { weight: 'lm_head.weight', bias: null, outputs: vocab });
	const names = config.architecture === 'GPT2LMHeadModel'
		? { embedding: 'transformer.wte.weight', positions: 'transformer.wpe.weight', layer: gpt2Layer, norm: 'transformer.ln_f' }
		: { embedding: 'model.embed_tokens.weight', positions: null, layer: llamaLayer, norm: 'model.norm' };
	return {
		embedding: names.embedding, positions: names.positions,
		layer: (l) => names.layer(config, l),
		norm: norm(names.norm, config), head
	};
}

function llamaLayer(config: ModelConfig, l: number): LayerNames {
	const { hidden, heads, kvHeads, headDim, intermediate, bias, qkNorm } = config;
	const part = (name: string, outputs: number, biased: boolean) => named(`model.layers.${l}.${name}`, outputs, biased);
	return {
		inputNorm: norm(`model.layers.${l}.input_layernorm`, config),
		qkv: projection(hidden, false,
			part('self_attn.q_proj', heads * headDim, bias.qkv),
			part('self_attn.k_proj', kvHeads * headDim, bias.qkv),
			part('self_attn.v_proj', kvHeads * headDim, bias.qkv)),
		queryNorm: qkNorm ? `model.layers.${l}.self_attn.q_norm.weight` : null,
		keyNorm: qkNorm ? `model.layers.${l}.self_attn.k_norm.weight` : null,
		o: projection(heads * headDim, false, part('self_attn.o_proj', hidden, bias.o)),
		postNorm: norm(`model.layers.${l}.post_attention_layernorm`, config),
		up: projection(hidden, false, part('mlp.gate_proj', intermediate, bias.mlp), part('mlp.up_proj', intermediate, bias.mlp)),
		down: projection(intermediate, false, part('mlp.down_proj', hidden, bias.mlp))
	};
}

function gpt2Layer(config: ModelConfig, l: number): LayerNames {
	const { hidden, intermediate } = config;
	const at = `transformer.h.${l}`;
	return {
		inputNorm: norm(`${at}.ln_1`, config),
		qkv: projection(hidden, true, named(`${at}.attn.c_attn`, 3 * hidden, true)),
		queryNorm: null, keyNorm: null,
		o: projection(hidden, true, named(`${at}.attn.c_proj`, hidden, true)),
		postNorm: norm(`${at}.ln_2`, config),
		up: projection(hidden, true, named(`${at}.mlp.c_fc`, intermediate, true)),
		down: projection(intermediate, true, named(`${at}.mlp.c_proj`, hidden, true))
	};
}

const norm = (name: string, config: ModelConfig): NormNames =>
	({ weight: `${name}.weight`, bias: config.norm === 'layer' ? `${name}.bias` : null });

const named = (name: string, outputs: number, biased: boolean) =>
	({ weight: `${name}.weight`, bias: biased ? `${name}.bias` : null, outputs });

function projection(inputs: number, inputsFirst: boolean, ...parts: ProjectionNames['parts']): ProjectionNames {
	return { inputs, outputs: parts.reduce((sum, part) => sum + part.outputs, 0), parts, inputsFirst };
}

type Shape = [name: string, shape: number[]];

/** Every tensor that the checkpoint must have, one after the other. */
export function* tensorShapes(config: ModelConfig): Generator<Shape> {
	const { hidden, vocab, context } = config;
	const checkpoint = checkpointOf(config);
	yield [checkpoint.embedding, [vocab, hidden]];
	if (checkpoint.positions) yield [checkpoint.positions, [context, hidden]];
	for (let l = 0; l < config.layers; l++) yield* layerShapes(checkpoint.layer(l), config);
	yield* normShapes(checkpoint.norm, hidden);
	if (checkpoint.head) yield* projectionShapes(checkpoint.head);
}

function layerShapes(layer: LayerNames, { hidden, headDim }: ModelConfig): Shape[] {
	return [
		...normShapes(layer.inputNorm, hidden), ...projectionShapes(layer.qkv),
		...vectorShape(layer.queryNorm, headDim), ...vectorShape(layer.keyNorm, headDim), ...projectionShapes(layer.o),
		...normShapes(layer.postNorm, hidden), ...projectionShapes(layer.up), ...projectionShapes(layer.down)
	];
}

const vectorShape = (name: string | null, width: number): Shape[] => (name ? [[name, [width]]] : []);

const normShapes = ({ weight, bias }: NormNames, width: number) => [...vectorShape(weight, width), ...vectorShape(bias, width)];

const projectionShapes = ({ inputs, parts, inputsFirst }: ProjectionNames) => parts.flatMap(({ weight, bias, outputs }): Shape[] =>
	[[weight, inputsFirst ? [inputs, outputs] : [outputs, inputs]], ...vectorShape(bias, outputs)]);

/** Number of weights. */
export function weightCount(config: ModelConfig): number {
	const count = (shapes: Iterable<Shape>) => [...shapes].reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b, 1), 0);
	const oneLayer = count(layerShapes(checkpointOf(config).layer(0), config));
	return count(tensorShapes({ ...config, layers: 0 })) + config.layers * oneLayer;
}
