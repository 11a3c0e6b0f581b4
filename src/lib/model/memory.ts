/** What a model will take of the machine's memory, worked out from its configuration before anything is loaded. */
import type { EngineInfo } from '$lib/documents/trace.ts';
import { fittingFormat, type WeightFormat } from '$lib/ops/index.ts';
import { checkpointOf, tensorShapes, type ProjectionNames } from './checkpoint.ts';
import type { ModelConfig } from './config.ts';

export interface MemoryPlan {
	/** Rows of the batch: the reference, the arms, and their shadows when arms generate freely. */
	rows: number;
	/** Tokens of the prompt and all that will be generated. */
	context: number;
	/** Only WebGPU keeps formats packed; wasm and cpu hold float32 whatever the format. WebGPU where left out. */
	backend?: EngineInfo['backend'];
	/** Bytes of the embedding as stored, which is looked up on the CPU; two a number where left out. */
	embedding?: number;
}

/** Bytes. */
export interface MemoryNeeded {
	/** On the device: projections and head in their format, norms and biases. */
	weights: number;
	/** Keys, values and biases of all rows on the device, and the exact numbers of the prompt on the CPU, which all rows share. */
	cache: number;
	/** The embedding as stored, copies of weights that wasm makes, and the most that reading the prompt or taking a step needs. */
	working: number;
	total: number;
	/** The largest single tensor; graphics devices limit it. */
	largest: number;
}

/** Bytes of a number, and beside it its share of a float32 scale for 32 numbers, which lie in a tensor of their own. */
const CODES: Record<WeightFormat, number> = { f32: 4, f16: 2, int8: 1, int4: 1 / 2 };
const SCALES: Record<WeightFormat, number> = { f32: 0, f16: 0, int8: 4 / 32, int4: 4 / 32 };

export function memoryNeeded(config: ModelConfig, format: WeightFormat, plan: MemoryPlan): MemoryNeeded {
	const { rows, context, backend = 'webgpu' } = plan;
	const { layers, kvHeads, headDim, vocab } = config;
	const { weights, products, largest } = weightBytes(config, backend === 'webgpu' ? format : 'f32');
	// One place more than tokens: the last prompt token is run once more at a place of its own.
	const keysOfLayer = 4 * rows * kvHeads * (context + 1) * headDim;
	const biases = keysOfLayer / headDim;
	const prompt = layers * 4 * 2 * kvHeads * context * headDim;
	const cache = layers * (2 * keysOfLayer + biases) + prompt;
	const shared = config.tied && format === 'f32' && backend !== 'webgpu';
	const embedding = shared ? 0 : (plan.embedding ?? 2 * vocab * config.hidden);
	const step = 2 * 4 * rows * vocab;
	// XNNPACK, under wasm, keeps a rearranged copy of every matrix that it has multiplied with.
	const copies = backend === 'wasm' ? products : 0;
	const working = embedding + copies + Math.max(step, prompt + activations(config, context, backend));
	return { weights, cache, working, total: weights + cache + working, largest: Math.max(largest, keysOfLayer, 4 * rows * vocab) };
}

/** `products`: of `weights`, those that are multiplied with. */
function weightBytes(config: ModelConfig, format: WeightFormat): { weights: number; products: number; largest: number } {
	const { hidden, vocab } = config;
	const checkpoint = checkpointOf(config);
	const bytesOf = ({ inputs, outputs }: Pick<ProjectionNames, 'inputs' | 'outputs'>) => {
		const fitting = fittingFormat(format, inputs);
		return { codes: inputs * outputs * CODES[fitting], scales: inputs * outputs * SCALES[fitting] };
	};
	const { qkv, o, up, down } = checkpoint.layer(0);
	const inLayer = [qkv, o, up, down].map(bytesOf);
	const head = bytesOf({ inputs: hidden, outputs: vocab });
	const sum = (parts: (typeof head)[]) => parts.reduce((bytes, { codes, scales }) => bytes + codes + scales, 0);
	const products = config.layers * sum(inLayer) + sum([head]);
	return {
		weights: products + 4 * vectorCount(config), products,
		largest: Math.max(...[head, ...inLayer].map(({ codes }) => codes))
	};
}

/** Numbers of norms and biases. */
function vectorCount(config: ModelConfig): number {
	const count = (layers: number) => [...tensorShapes({ ...config, layers })].reduce((sum, [, shape]) => sum + (shape.length === 1 ? shape[0] : 0), 0);
	return count(0) + config.layers * (count(1) - count(0));
}

/** The most bytes that are alive at once inside a layer while `tokens` tokens are read; views count as what they view. */
function activations({ hidden, heads, kvHeads, headDim, intermediate, qkNorm, mlp }: ModelConfig, tokens: number, backend: EngineInfo['backend']): number {
	const stock = backend !== 'webgpu';
	const [context, columns] = [heads * headDim, (heads + 2 * kvHeads) * headDim];
	// Split, normed and turned, each with its parts.
	const projecting = 2 * hidden + ((qkNorm ? 6 : 2) + (stock ? 2 : 0)) * columns;
	// Stock ops go by key head: copies of its queries, keys and values, and the scores of 128 queries at every stage of their softmax.
	const group = heads / kvHeads;
	const scores = stock ? 4 * (group + 1) * headDim + 9 * group * Math.min(tokens, 128) : 0;
	const attention = hidden + 2 * columns + 2 * context + scores;
	// Context twice (heads apart, then joined), residuals and norm, and the feed-forward block; stock ops take it in small steps.
	const inside = stock ? 7 : mlp === 'swiglu' ? 3 : 2;
	const feedForward = 4 * hidden + 2 * context + inside * intermediate;
	const angles = 2 * headDim + kvHeads;
	return 4 * tokens * (angles + Math.max(projecting, attention, feedForward));
}
