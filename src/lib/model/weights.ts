/** Reads the tensors of a checkpoint one after another and puts them on the device. */
import { getBackend, type Tensor } from '@tensorflow/tfjs-core';
import { hostView, makeWeightFromRows, persistentFrom, transposed, type Rows, type Weight, type WeightFormat } from '$lib/ops/index.ts';
import { checkpointOf, tensorShapes, weightCount, type LayerNames, type NormNames, type ProjectionNames } from './checkpoint.ts';
import type { ModelConfig } from './config.ts';
import { ModelError } from './error.ts';
import { rowsOf, toFloat32, type StoredTensor, type TensorSource } from './stored.ts';

export interface Norm {
	weight: Tensor;
	/** Present in a LayerNorm. */
	bias?: Tensor;
}

export interface Projection {
	weight: Weight;
	bias?: Tensor;
}

export interface LayerWeights {
	inputNorm: Norm;
	/** Query, key and value projections, one below the other. */
	qkv: Projection;
	/** [headDim] each, where queries and keys are normed. */
	queryNorm?: Tensor;
	keyNorm?: Tensor;
	o: Projection;
	postNorm: Norm;
	/** Gate above up, or up alone. */
	up: Projection;
	down: Projection;
}

/** One row of a table that stays on the CPU, [hidden]; decoded when it is asked for. */
export type Lookup = (row: number) => Float32Array;

export interface Weights {
	embedding: Lookup;
	/** Learned positions. */
	positions?: Lookup;
	layers: LayerWeights[];
	norm: Norm;
	head: Weight;
	/** Number of weights. */
	count: number;
	/** All that lies on the device, for disposal. */
	tensors: Tensor[];
}

export interface Placement {
	/** Of the projections and the head (f32 where left out). Norms and biases stay f32, rows of the embedding are looked up as stored. */
	format?: WeightFormat | undefined;
	signal?: AbortSignal | undefined;
}

/**
 * Of a tensor's bytes no more than one layer's projection is held at a time, but for the embedding.
 * Throws ModelError if a tensor is missing or has another shape than config.json says, before anything
 * is read; the signal's reason when it is aborted. Nothing stays on the device then.
 */
export async function placeWeights(source: TensorSource, config: ModelConfig, placement: Placement = {}): Promise<Weights> {
	checkShapes(source, config);
	const tensors: Tensor[] = [];
	try {
		return { ...(await place(new Placing(source, tensors, placement), config)), count: weightCount(config), tensors };
	} catch (error) {
		for (const tensor of tensors) tensor.dispose();
		throw error;
	}
}

async function place(placing: Placing, config: ModelConfig): Promise<Omit<Weights, 'count' | 'tensors'>> {
	const { hidden, vocab } = config;
	const checkpoint = checkpointOf(config);
	const layers: LayerWeights[] = [];
	for (let l = 0; l < config.layers; l++) layers.push(await placing.layer(checkpoint.layer(l), hidden, config.headDim));
	const table = await placing.read(checkpoint.embedding);
	const positions = checkpoint.positions ? lookup(await placing.read(checkpoint.positions)) : undefined;
	const norm = await placing.norm(checkpoint.norm, hidden);
	const head = checkpoint.head
		? (await placing.projection(checkpoint.head)).weight
		: placing.weight((from, to) => rowsOf(table, from, to), vocab, hidden);
	// A head that is the embedding, number for number, is looked up instead of holding it twice on the CPU.
	const shared = !checkpoint.head && head.format === 'f32' && getBackend() !== 'webgpu';
	return { embedding: shared ? headRow(head) : lookup(table), ...(positions ? { positions } : {}), layers, norm, head };
}

/** Puts tensors on the device and keeps account of them. */
class Placing {
	constructor(private readonly source: TensorSource, private readonly placed: Tensor[], private readonly placement: Placement) {}

	read(name: string): Promise<StoredTensor> {
		this.placement.signal?.throwIfAborted();
		return this.source.tensor(nameIn(this.source, name));
	}

	async layer(names: LayerNames, hidden: number, headDim: number): Promise<LayerWeights> {
		return {
			inputNorm: await this.norm(names.inputNorm, hidden),
			qkv: await this.projection(names.qkv),
			...(names.queryNorm ? { queryNorm: await this.vector([names.queryNorm], headDim) } : {}),
			...(names.keyNorm ? { keyNorm: await this.vector([names.keyNorm], headDim) } : {}),
			o: await this.projection(names.o),
			postNorm: await this.norm(names.postNorm, hidden),
			up: await this.projection(names.up),
			down: await this.projection(names.down)
		};
	}

	async norm({ weight, bias }: NormNames, width: number): Promise<Norm> {
		return { weight: await this.vector([weight], width), ...(bias ? { bias: await this.vector([bias], width) } : {}) };
	}

	async projection({ inputs, outputs, parts, inputsFirst }: ProjectionNames): Promise<Projection> {
		const rows: { outputs: number; rows: Rows }[] = [];
		for (const part of parts) rows.push({ outputs: part.outputs, rows: matrix(await this.read(part.weight), inputsFirst) });
		const weight = this.weight(below(rows, inputs), outputs, inputs);
		const biases = parts.flatMap(({ bias }) => bias ?? []);
		return { weight, ...(biases.length > 0 ? { bias: await this.vector(biases, outputs) } : {}) };
	}

	weight(rows: Rows, outputs: number, inputs: number): Weight {
		const weight = makeWeightFromRows(rows, outputs, inputs, this.placement.format);
		this.placed.push(...weight.tensors);
		return weight;
	}

	/** Vectors one after the other, [width] in all. */
	private async vector(names: string[], width: number): Promise<Tensor> {
		const joined = new Float32Array(width);
		let at = 0;
		for (const name of names) {
			const part = toFloat32(await this.read(name));
			joined.set(part, at);
			at += part.length;
		}
		const tensor = persistentFrom(joined, [width]);
		this.placed.push(tensor);
		return tensor;
	}
}

function matrix(tensor: StoredTensor, inputsFirst: boolean): Rows {
	if (!inputsFirst) return (from, to) => rowsOf(tensor, from, to);
	const [inputs, outputs] = tensor.shape;
	const turned = transposed(toFloat32(tensor), inputs, outputs);
	return (from, to) => turned.subarray(from * inputs, to * inputs);
}

/** Matrices one below the other. */
function below(parts: { outputs: number; rows: Rows }[], inputs: number): Rows {
	if (parts.length === 1) return parts[0].rows;
	return (from, to) => {
		const joined = new Float32Array((to - from) * inputs);
		let start = 0;
		for (const { outputs, rows } of parts) {
			const [first, last] = [Math.max(from, start), Math.min(to, start + outputs)];
			if (first < last) joined.set(rows(first - start, last - start), (first - from) * inputs);
			start += outputs;
		}
		return joined;
	};
}

function lookup(table: StoredTensor): Lookup {
	// Its own bytes, so that the rest of the file can be let go.
	const own = table.bytes.byteLength === table.bytes.buffer.byteLength ? table : { ...table, bytes: table.bytes.slice() };
	return (row) => rowsOf(own, row, row + 1);
}

/** Rows of a head in f32 on wasm or cpu. */
function headRow({ tensor, inputs, outputs, rowMajorOutputs }: Weight): Lookup {
	return (row) => {
		const numbers = hostView(tensor) as Float32Array;
		if (rowMajorOutputs) return numbers.slice(row * inputs, (row + 1) * inputs);
		return Float32Array.from({ length: inputs }, (_, i) => numbers[i * outputs + row]);
	};
}

/** Files of a bare model leave out the first part of each name. */
function nameIn(source: TensorSource, name: string): string {
	const bare = name.replace(/^(model|transformer)\./, '');
	return source.describe(name) === undefined && source.describe(bare) !== undefined ? bare : name;
}

function checkShapes(source: TensorSource, config: ModelConfig): void {
	for (const [name, shape] of tensorShapes(config)) {
		const found = source.describe(nameIn(source, name));
		if (!found) {
			const family = config.architecture.replace(/ForCausalLM|LMHeadModel/, '');
			throw new ModelError(`The weights have no tensor ${name}, which a ${family} model of ${config.layers} layers needs.`);
		}
		if (found.shape.join() !== shape.join()) {
			throw new ModelError(`${name} has shape ${found.shape.join(' x ')}, but config.json asks for ${shape.join(' x ')}.`);
		}
	}
}
