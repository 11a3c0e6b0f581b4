/** A loaded model on an opened engine, ready to run experiments. */
import type { Experiment } from '$lib/documents/experiment.ts';
import type { EngineInfo, ModelShape } from '$lib/documents/trace.ts';
import { loadModel, ModelError, sourceOf, type LoadedModel, type LoadProgress, type ModelSource } from '$lib/model/index.ts';
import { filesSource } from '$lib/model/source.ts';
import { onDeviceLost, openBackend, setProfile, type Profile, type WeightFormat } from '$lib/ops/index.ts';
import { HUB, modelName, readModelId } from '$lib/store/model-id.ts';
import type { ModelFiles } from '$lib/store/store.ts';
import type { RunOptions } from './begin.ts';
import { pausing, type Pause } from './pauses.ts';
import { Run } from './run.ts';
import type { ModelJson } from './supplies.ts';

export type { LoadProgress } from '$lib/model/index.ts';

export interface EngineChoice {
	/** Left out: hardware WebGPU, else wasm, else cpu. */
	backend?: EngineInfo['backend'];
	/** Form of the kernels on WebGPU; the adapter decides where left out. */
	profile?: Profile;
	/** Address (or folder, under Node) that holds `models/`. */
	site?: string;
	/** The model's files, when they are at hand: kept ones, or dropped. */
	files?: ModelFiles;
	/** What the weights are rounded to; float32 where left out. */
	weights?: WeightFormat;
	/** Address of the Hugging Face Hub. */
	hub?: string;
}

/** Where the files of a model lie. Throws ModelError for an id of no known form, and for files that are not at hand. */
export function placeOfModel(id: string, site = '/', hub = HUB): string {
	const model = readModelId(id);
	// A file of the directory may be named, too.
	if (model.kind === 'path') return model.place.replace(/[\\/][^\\/]+\.(safetensors|json)$/, '');
	if (model.kind === 'hub') return `${hub.replace(/\/$/, '')}/${model.repo}/resolve/${model.revision}${model.file ? `/${model.file}` : ''}`;
	if (model.kind === 'site') return `${site.replace(/\/$/, '')}/models/${model.name}`;
	throw new ModelError(`The model ${model.name} was dropped on somebody's page as files. Drop the same files here, or choose another model.`);
}

function sourceOfModel(id: string, { files, site, hub }: EngineChoice): ModelSource {
	return files ? filesSource(modelName(id), files) : sourceOf(placeOfModel(id, site, hub));
}

export class Lab {
	/** Ends with the reason when the graphics device goes away. */
	readonly lost: Promise<string>;
	readonly loaded: LoadedModel;
	readonly model: ModelShape;
	#stopListening = () => {};
	#pause: Pause | null = null;

	constructor(loaded: LoadedModel, readonly engine: EngineInfo, readonly loadMs: number, id = loaded.shape.id, readonly json: ModelJson = async () => null) {
		this.loaded = { ...loaded, decoder: pausing(loaded.decoder, () => this.#pause) };
		this.model = { ...loaded.shape, id };
		this.lost = new Promise((resolve) => (this.#stopListening = onDeviceLost(resolve)));
	}

	/** Opens the engine and loads the model. Throws ModelError or Error in words for the reader. */
	static async load(modelId: string, choice: EngineChoice = {}, onProgress?: (progress: LoadProgress) => void, signal?: AbortSignal): Promise<Lab> {
		const source = sourceOfModel(modelId, choice);
		const { weights = 'f32' } = choice;
		const engine: EngineInfo = { ...(await openBackend(choice.backend)), ...(weights === 'f32' ? {} : { weights }) };
		setProfile(choice.profile ?? null);
		const before = performance.now();
		const loaded = await loadModel(source, engine, onProgress, signal, { format: weights });
		return new Lab(loaded, engine, performance.now() - before, modelId, (file) => source.json(file));
	}

	/**
	 * Reads the prompt and compresses it in every arm. Throws DocumentError before computing anything.
	 * `pause` is waited for before every layer of the prompt, and may end it by throwing.
	 */
	async start(experiment: Experiment, { pause, ...options }: RunOptions & { pause?: Pause } = {}): Promise<Run> {
		this.#pause = pause ?? null;
		try {
			return await Run.begin(this, experiment, options);
		} finally {
			this.#pause = null;
		}
	}

	dispose(): void {
		this.#stopListening();
		this.loaded.dispose();
	}
}
