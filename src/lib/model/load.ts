/** Loads a model and puts it on the device. */
import { getBackend } from '@tensorflow/tfjs-core';
import type { EngineInfo, ModelShape } from '$lib/documents/trace.ts';
import type { WeightFormat } from '$lib/ops/index.ts';
import type { ChatTemplate } from './chat.ts';
import { readConfig, type ModelConfig } from './config.ts';
import { TransformerDecoder } from './decoder.ts';
import { ModelError } from './error.ts';
import { openModel, openTokenizer } from './open.ts';
import { sourceOf, type ModelSource } from './source.ts';
import type { Tokenizer } from './tokenizer.ts';
import type { Decoder } from './types.ts';
import { placeWeights } from './weights.ts';

export interface LoadProgress {
	/** Bytes of the weights that have arrived, and of all (0 when not known). */
	loaded: number;
	total: number;
}

export interface LoadOptions {
	/** What the products' weights are rounded to; f32 where left out. Packed on WebGPU only. */
	format?: WeightFormat | undefined;
}

export interface LoadedModel {
	shape: ModelShape;
	decoder: Decoder;
	tokenizer: Tokenizer;
	/** How it writes conversations, for `applyChat`; null when it was not trained on any. */
	chat: ChatTemplate | null;
	/** Ids that end a text. */
	ends: number[];
	dispose(): void;
}

/**
 * `source` is an address, or a path under Node: a directory in the layout of Hugging Face, or a .gguf
 * file. Throws ModelError with a sentence for the reader; the signal's reason when it is aborted.
 */
export async function loadModel(source: string | ModelSource, engine: EngineInfo, onProgress?: (progress: LoadProgress) => void, signal?: AbortSignal, { format }: LoadOptions = {}): Promise<LoadedModel> {
	if (getBackend() !== engine.backend) {
		throw new Error(`The model was to be loaded for ${engine.backend}, but ${getBackend() || 'no backend'} is open.`);
	}
	const from = typeof source === 'string' ? sourceOf(source) : source;
	const opened = await openModel(from, { onBytes: (loaded, total) => onProgress?.({ loaded, total }), signal });
	const config = readConfig(opened.config);
	const { tokenizer, chat } = opened;
	if (tokenizer.size > config.vocab) {
		throw new ModelError(`The tokenizer knows ${tokenizer.size} tokens, but the configuration has a vocab_size of ${config.vocab}: they belong to different models.`);
	}
	const tensors = await opened.tensors();
	signal?.throwIfAborted();
	// A few bytes of JSON could otherwise ask for any number of layers.
	if (config.layers > tensors.names().length) {
		throw new ModelError(`The configuration speaks of ${config.layers} layers, but there are only ${tensors.names().length} tensors: they belong to different models.`);
	}
	const weights = await placeWeights(tensors, config, { format, signal });
	const shape = shapeOf(from.id, config, weights.count);
	const decoder = new TransformerDecoder(shape, config, weights);
	return { shape, decoder, tokenizer, chat, ends: config.ends, dispose: () => decoder.dispose() };
}

/** The tokenizer alone, of a model as for `loadModel`. */
export async function loadTokenizer(source: string | ModelSource, signal?: AbortSignal): Promise<Tokenizer> {
	return (await openTokenizer(typeof source === 'string' ? sourceOf(source) : source, { signal })).tokenizer;
}

function shapeOf(id: string, config: ModelConfig, weights: number): ModelShape {
	const { layers, heads, kvHeads, headDim, hidden, vocab, context, rotary } = config;
	return { id, name: id, layers, heads, kvHeads, headDim, hidden, vocab, context, ropeTheta: rotary?.theta ?? 0, weights };
}
