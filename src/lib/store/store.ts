/** Models in this browser: fetched from the hub or dropped, kept, listed, deleted. */
import { ModelError } from '$lib/model/error.ts';
import { copyFiles, fetchModel, fullStorage, type FillOptions } from './fill.ts';
import { planOf, type HubOptions, type Plan } from './hub.ts';
import { lockName, webLocks, type Locks } from './locks.ts';
import { bytesHere, fileName, idsOn, lastUse, noteUse, readManifest, removeAll, type Manifest } from './manifest.ts';
import type { Shelf } from './shelf.ts';

export interface KeptModel {
	id: string;
	/** Address of the repository, or how else it came. */
	origin: string;
	files: number;
	/** Bytes of the whole model, and those of it that are here. */
	bytes: number;
	here: number;
	complete: boolean;
	/** Milliseconds since 1970. */
	used: number;
}

/** A model's files, by their paths inside it. */
export type ModelFiles = Readonly<Record<string, Blob>>;

export interface Space {
	kind: Shelf['kind'];
	/** Bytes that the browser counts for this site, and that it allows; null where it does not say. */
	used: number | null;
	quota: number | null;
}

export interface DownloadProgress {
	loaded: number;
	total: number;
	/** Another tab is at it; this one waits. */
	waiting: boolean;
}

export interface StoreOptions extends Omit<HubOptions, 'signal'> {
	locks?: Locks;
	now?: () => number;
	wait?: (attempt: number) => Promise<void>;
	estimate?: () => Promise<{ usage?: number; quota?: number }>;
}

type OnProgress = (progress: DownloadProgress) => void;

export class Store {
	readonly #shelf: Shelf;
	readonly #options: StoreOptions;
	readonly #locks: Locks;

	constructor(shelf: Shelf, options: StoreOptions = {}) {
		this.#shelf = shelf;
		this.#options = options;
		this.#locks = options.locks ?? webLocks();
	}

	/** What is kept, last used first. Files of which nothing is known (a page died) are cleared away. */
	async list(): Promise<KeptModel[]> {
		const found = await Promise.all((await idsOn(this.#shelf)).map(async (id) => {
			const model = await this.get(id);
			// Only while nobody is writing it, and looking again under the lock.
			if (!model) await this.#locks.tryHold(lockName(id), async () => (await readManifest(this.#shelf, id)) ?? removeAll(this.#shelf, id));
			return model;
		}));
		return found.filter((model) => model !== null).sort((a, b) => b.used - a.used);
	}

	async get(id: string): Promise<KeptModel | null> {
		const manifest = await readManifest(this.#shelf, id);
		return manifest && this.#describe(manifest);
	}

	async space(): Promise<Space> {
		const estimate = this.#options.estimate ?? (async () => (await navigator.storage?.estimate?.()) ?? {});
		const { usage = null, quota = null } = await estimate().catch((): { usage?: number; quota?: number } => ({}));
		return { kind: this.#shelf.kind, used: usage, quota };
	}

	/** The files of a model of the hub and their sizes; fetches only config.json. Throws ModelError. */
	plan(id: string, options: Pick<HubOptions, 'hub' | 'signal'> = {}): Promise<Plan> {
		return planOf(id, { ...this.#options, ...options });
	}

	/** Fetches what is missing of a plan. Throws ModelError; the signal's reason. What has arrived is kept either way. */
	download(plan: Plan, onProgress?: OnProgress, signal?: AbortSignal): Promise<void> {
		return this.#fill(plan.id, plan.bytes, (options) => fetchModel(this.#shelf, plan, options), onProgress, signal);
	}

	/** Keeps dropped files; what had that id before is gone. Throws as `download`. */
	keep(id: string, files: ReadonlyMap<string, Blob>, onProgress?: OnProgress, signal?: AbortSignal): Promise<void> {
		const bytes = [...files.values()].reduce((sum, { size }) => sum + size, 0);
		return this.#fill(id, bytes, (options) => copyFiles(this.#shelf, id, files, options), onProgress, signal);
	}

	/** The files of a complete model, by path; null when it is not here, or not whole. Notes the use. */
	async files(id: string): Promise<ModelFiles | null> {
		const manifest = await readManifest(this.#shelf, id);
		if (!manifest || !(await this.#describe(manifest)).complete) return null;
		const entries = await Promise.all(manifest.files.map(async ({ path }) => [path, await this.#shelf.read(fileName(id, path))] as const));
		// Who finds another at it leaves it to them: written by two at once it would hold two times in a row.
		await this.#locks.tryHold(`${lockName(id)} used`, () => noteUse(this.#shelf, id, this.#now())).catch(() => {});
		return entries.some(([, blob]) => blob === null) ? null : Object.fromEntries(entries) as ModelFiles;
	}

	/** Deletes a model. Throws ModelError while anybody writes or reads it. */
	async remove(id: string): Promise<void> {
		const done = await this.#locks.tryHold(lockName(id), async () => {
			await removeAll(this.#shelf, id);
			return true;
		});
		if (!done) throw new ModelError('This model is being fetched or read, here or in another tab. Delete it when that has ended.');
	}

	#now(): number {
		return (this.#options.now ?? Date.now)();
	}

	/** One tab at a time; a full storage becomes a sentence. */
	#fill(id: string, total: number, job: (options: FillOptions) => Promise<void>, onProgress: OnProgress = () => {}, signal?: AbortSignal): Promise<void> {
		const { fetch, wait } = this.#options;
		const options: FillOptions = {
			now: () => this.#now(), onBytes: (loaded) => onProgress({ loaded, total, waiting: false }),
			...(fetch ? { fetch } : {}), ...(wait ? { wait } : {}), ...(signal ? { signal } : {})
		};
		return this.#locks.hold(lockName(id), 'exclusive', () => job(options).catch(async (error: unknown) => {
			throw fullStorage(error, total, await this.space());
		}), { ...(signal ? { signal } : {}), onWait: () => onProgress({ loaded: 0, total, waiting: true }) });
	}

	async #describe(manifest: Manifest): Promise<KeptModel> {
		const { id, origin, files } = manifest;
		const here = await bytesHere(this.#shelf, manifest);
		const bytes = files.reduce((sum, { size }) => sum + size, 0);
		return { id, origin, files: files.length, bytes, here, complete: here === bytes, used: await lastUse(this.#shelf, manifest) };
	}
}
