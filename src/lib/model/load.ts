/** Loads a model directory in the layout of Hugging Face: config.json, tokenizer.json, safetensors. */
import { getBackend } from '@tensorflow/tfjs-core';
import type { EngineInfo, ModelShape } from '$lib/documents/trace.ts';
import { readConfig, type ModelConfig } from './config.ts';
import { TransformerDecoder } from './decoder.ts';
import { ModelError, readSafetensors, type StoredTensor } from './safetensors.ts';
import { sourceOf, type ModelSource } from './source.ts';
import { Tokenizer } from './tokenizer.ts';
import type { Decoder } from './types.ts';
import { placeWeights } from './weights.ts';

export interface LoadProgress {
	/** Bytes of the weights that have arrived, and of all (0 when not known). */
	loaded: number;
	total: number;
}

export interface LoadedModel {
	shape: ModelShape;
	decoder: Decoder;
	tokenizer: Tokenizer;
	/** Ids that end a text. */
	ends: number[];
	dispose(): void;
}

/**
 * `source` is an address, or a folder under Node. Throws ModelError with a sentence for the reader;
 * the signal's reason when it is aborted.
 */
export async function loadModel(source: string | ModelSource, engine: EngineInfo, onProgress?: (progress: LoadProgress) => void, signal?: AbortSignal): Promise<LoadedModel> {
	if (getBackend() !== engine.backend) {
		throw new Error(`The model was to be loaded for ${engine.backend}, but ${getBackend() || 'no backend'} is open.`);
	}
	const from = typeof source === 'string' ? sourceOf(source) : source;
	const config = readConfig(await required(from, 'config.json', signal));
	const tokenizer = await loadTokenizer(from, signal);
	if (tokenizer.size > config.vocab) {
		throw new ModelError(`tokenizer.json knows ${tokenizer.size} tokens, but config.json has a vocab_size of ${config.vocab}: they belong to different models.`);
	}
	const stored = await readWeights(from, onProgress, signal);
	signal?.throwIfAborted();
	const tensors = {
		names: () => [...stored.keys()],
		describe: (name: string) => stored.get(name),
		tensor: async (name: string) => stored.get(name)!
	};
	const weights = await placeWeights(tensors, config, { signal });
	const shape = shapeOf(from.id, config, weights.count);
	const decoder = new TransformerDecoder(shape, config, weights);
	return { shape, decoder, tokenizer, ends: config.ends, dispose: () => decoder.dispose() };
}

/** The tokenizer alone, of a directory as for `loadModel`. */
export async function loadTokenizer(source: string | ModelSource, signal?: AbortSignal): Promise<Tokenizer> {
	const from = typeof source === 'string' ? sourceOf(source) : source;
	const json = await required(from, 'tokenizer.json', signal);
	return new Tokenizer(json as object, ((await from.json('tokenizer_config.json', signal)) ?? {}) as object);
}

async function required(from: ModelSource, file: string, signal?: AbortSignal): Promise<unknown> {
	const json = await from.json(file, signal);
	if (json === null) {
		throw new ModelError(`There is no ${file} at ${from.place}. A model directory holds config.json, tokenizer.json and model.safetensors.`);
	}
	return json;
}

/** model.safetensors, or the parts that model.safetensors.index.json names. */
async function readWeights(from: ModelSource, onProgress?: (progress: LoadProgress) => void, signal?: AbortSignal): Promise<Map<string, StoredTensor>> {
	const single = await from.bytes('model.safetensors', (loaded, total) => onProgress?.({ loaded, total }), signal);
	if (single) return readSafetensors(single, 'model.safetensors');
	const index = (await from.json('model.safetensors.index.json', signal)) as { weight_map?: Record<string, string>; metadata?: { total_size?: number } } | null;
	if (!index?.weight_map) {
		throw new ModelError(`There is no model.safetensors at ${from.place}. Weights in other formats (pytorch_model.bin, GGUF) cannot be read.`);
	}
	const all = new Map<string, StoredTensor>();
	const total = index.metadata?.total_size ?? 0;
	let before = 0;
	for (const file of new Set(Object.values(index.weight_map))) {
		const part = await from.bytes(file, (loaded) => onProgress?.({ loaded: before + loaded, total }), signal);
		if (!part) throw new ModelError(`${file}, which model.safetensors.index.json names, is not at ${from.place}.`);
		before += part.byteLength;
		for (const [name, tensor] of readSafetensors(part, file)) all.set(name, tensor);
	}
	return all;
}

function shapeOf(id: string, config: ModelConfig, weights: number): ModelShape {
	const { layers, heads, kvHeads, headDim, hidden, vocab, context, rotary } = config;
	return { id, name: id, layers, heads, kvHeads, headDim, hidden, vocab, context, ropeTheta: rotary?.theta ?? 0, weights };
}
