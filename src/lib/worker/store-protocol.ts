/** What the page and the store's thread say to each other. */
import type { Plan } from '$lib/store/hub.ts';
import type { DownloadProgress, KeptModel, ModelFiles, Space } from '$lib/store/store.ts';

export interface Shelved {
	models: KeptModel[];
	space: Space;
}

export interface StoreService {
	list(): Promise<Shelved>;
	/** Looks a model up on the hub at `hub`; ends the look-up before it. */
	plan(id: string, hub: string): Promise<Plan>;
	/** Fetches what is missing of a plan. One at a time: a second call ends the first. */
	download(plan: Plan, onProgress: (progress: DownloadProgress) => unknown): Promise<void>;
	/** Keeps dropped files under an id; likewise. */
	keep(id: string, files: ModelFiles, onProgress: (progress: DownloadProgress) => unknown): Promise<void>;
	/** The files of a model that is here; null when it is not, or not whole. */
	files(id: string): Promise<ModelFiles | null>;
	remove(id: string): Promise<void>;
	/** Ends the look-up and the download; they end with an AbortError, and what has arrived is kept. */
	cancel(): void;
}
