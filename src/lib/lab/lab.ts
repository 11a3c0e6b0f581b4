/** A loaded model on an opened engine, ready to run experiments. */
import type { Experiment } from '$lib/documents/experiment.ts';
import type { EngineInfo, ModelShape } from '$lib/documents/trace.ts';
import { loadModel, ModelError, type LoadedModel, type LoadProgress } from '$lib/model/index.ts';
import { onDeviceLost, openBackend } from '$lib/ops/index.ts';
import type { RunOptions } from './begin.ts';
import { Run } from './run.ts';

export type { LoadProgress } from '$lib/model/index.ts';

export interface EngineChoice {
	/** Left out: hardware WebGPU, else wasm, else cpu. */
	backend?: EngineInfo['backend'];
	/** Address (or folder, under Node) that holds `models/`. */
	site?: string;
}

/** Where the files of a model lie. Throws ModelError for an id of no known form. */
export function placeOfModel(id: string, site = '/'): string {
	// A file of the directory may be named, too.
	if (id.startsWith('path:')) return id.slice(5).replace(/[\\/][^\\/]+\.(safetensors|json)$/, '');
	const hub = /^hf:([\w.-]+\/[\w.-]+)(?:@([\w./-]+))?$/.exec(id);
	if (hub) return `https://huggingface.co/${hub[1]}/resolve/${hub[2] ?? 'main'}`;
	if (/^[\w-][\w.-]*$/.test(id)) return `${site.replace(/\/$/, '')}/models/${id}`;
	throw new ModelError(`"${id}" is no model: expected the id of an embedded model, hf:ORG/NAME or path:DIR.`);
}

export class Lab {
	/** Ends with the reason when the graphics device goes away. */
	readonly lost: Promise<string>;
	readonly model: ModelShape;
	#stopListening = () => {};

	constructor(readonly loaded: LoadedModel, readonly engine: EngineInfo, readonly loadMs: number, id = loaded.shape.id) {
		this.model = { ...loaded.shape, id };
		this.lost = new Promise((resolve) => (this.#stopListening = onDeviceLost(resolve)));
	}

	/** Opens the engine and loads the model. Throws ModelError or Error in words for the reader. */
	static async load(modelId: string, choice: EngineChoice = {}, onProgress?: (progress: LoadProgress) => void, signal?: AbortSignal): Promise<Lab> {
		const place = placeOfModel(modelId, choice.site);
		const engine = await openBackend(choice.backend);
		const before = performance.now();
		const loaded = await loadModel(place, engine, onProgress, signal);
		return new Lab(loaded, engine, performance.now() - before, modelId);
	}

	/** Reads the prompt and compresses it in every arm. Throws DocumentError before computing anything. */
	start(experiment: Experiment, options: RunOptions = {}): Promise<Run> {
		return Run.begin(this, experiment, options);
	}

	dispose(): void {
		this.#stopListening();
		this.loaded.dispose();
	}
}
