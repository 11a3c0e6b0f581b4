/** Opens a model in whatever form it comes: a directory in the layout of Hugging Face, or one GGUF file. */
import { chatTemplateOf, type ChatTemplate } from './chat.ts';
import { ModelError } from './error.ts';
import { openGguf } from './gguf/index.ts';
import { counted, INDEX, objectOr, only, partsOf, together } from './parts.ts';
import { openSafetensors } from './safetensors.ts';
import type { ModelSource } from './source.ts';
import type { TensorSource } from './stored.ts';
import { fileOfBytes, type StoredFile } from './stored-file.ts';
import { Tokenizer } from './tokenizer.ts';

export interface OpenedModel {
	/** As in config.json. */
	config: unknown;
	tokenizer: Tokenizer;
	/** null when the model was not trained on conversations. */
	chat: ChatTemplate | null;
	/** The weights; where they have to be fetched, from here on. */
	tensors(): Promise<TensorSource>;
}

export interface Watch {
	/** Bytes of the weights that are here, and of all (0 when not known). */
	onBytes?: ((loaded: number, total: number) => void) | undefined;
	signal?: AbortSignal | undefined;
}

/** Far above every model (the deepest have some 200 layers). */
const MOST_LAYERS = 10_000;

/** Throws ModelError with a sentence for the reader; the signal's reason when it is aborted. */
export async function openModel(from: ModelSource, watch: Watch = {}): Promise<OpenedModel> {
	if (from.gguf !== undefined) return openWhole(from, from.gguf, watch);
	const config = objectOr(await required(from, 'config.json', watch), 'config.json');
	const layers = Number(config.num_hidden_layers ?? config.n_layer);
	// All that is worked out from it goes layer by layer: a few bytes of JSON could otherwise ask for any number.
	if (layers > MOST_LAYERS) throw new ModelError(`config.json is damaged: it speaks of ${layers} layers, which no model has.`);
	const tokenizer = await openTokenizer(from, watch);
	return { config, ...tokenizer, tensors: () => openWeights(from, watch) };
}

/** The tokenizer alone. */
export async function openTokenizer(from: ModelSource, watch: Watch = {}): Promise<Pick<OpenedModel, 'tokenizer' | 'chat'>> {
	if (from.gguf !== undefined) return openWhole(from, from.gguf, watch);
	const json = await required(from, 'tokenizer.json', watch);
	const config = objectOr((await from.json('tokenizer_config.json', watch.signal)) ?? {}, 'tokenizer_config.json');
	const jinja = config.chat_template === undefined ? await from.bytes('chat_template.jinja', undefined, watch.signal) : null;
	return {
		tokenizer: new Tokenizer(objectOr(json, 'tokenizer.json'), config),
		chat: chatTemplateOf(config, jinja && new TextDecoder().decode(jinja))
	};
}

async function openWhole(from: ModelSource, name: string, watch: Watch): Promise<OpenedModel> {
	const file = await fileOf(from, name, watch);
	if (!file) throw new ModelError(`There is no ${name} at ${from.place}.`);
	const { config, tokenizer, tensors } = await openGguf(file.file);
	return {
		config, tokenizer: new Tokenizer(tokenizer.json, tokenizer.config), chat: chatTemplateOf(tokenizer.config as Record<string, unknown>),
		tensors: async () => (file.pieces ? counted([tensors], file.file.size, watch) : tensors)
	};
}

async function required(from: ModelSource, file: string, { signal }: Watch): Promise<unknown> {
	const json = await from.json(file, signal);
	if (json === null) {
		throw new ModelError(`There is no ${file} at ${from.place}. A model directory holds config.json, tokenizer.json and model.safetensors; a model may also be one .gguf file.`);
	}
	return json;
}

/** A file, piece by piece where that is possible, else as a whole; null when there is none. */
async function fileOf(from: ModelSource, name: string, { onBytes, signal }: Watch): Promise<{ file: StoredFile; pieces: boolean } | null> {
	if (from.open) {
		const file = await from.open(name);
		return file && { file, pieces: true };
	}
	const bytes = await from.bytes(name, onBytes, signal);
	return bytes && { file: fileOfBytes(name, bytes), pieces: false };
}

/** model.safetensors, or the parts that model.safetensors.index.json names. */
async function openWeights(from: ModelSource, watch: Watch): Promise<TensorSource> {
	const single = await fileOf(from, 'model.safetensors', watch);
	if (single) {
		const tensors = await openSafetensors(single.file);
		return single.pieces ? counted([tensors], single.file.size, watch) : tensors;
	}
	const index = await from.json(INDEX, watch.signal);
	if (index === null) {
		throw new ModelError(`There is no model.safetensors at ${from.place}. Weights can be read from safetensors and GGUF, not from other formats (pytorch_model.bin).`);
	}
	const { files, total } = partsOf(index);
	const parts: TensorSource[] = [];
	let before = 0;
	let pieces = false;
	for (const [name, tensors] of files) {
		const part = await fileOf(from, name, { ...watch, onBytes: (loaded) => watch.onBytes?.(before + loaded, total) });
		if (!part) throw new ModelError(`${name}, which ${INDEX} names, is not at ${from.place}.`);
		before += part.file.size;
		pieces = part.pieces;
		parts.push(only(await openSafetensors(part.file), tensors, name));
	}
	return pieces ? counted(parts, before, watch) : together(parts);
}
