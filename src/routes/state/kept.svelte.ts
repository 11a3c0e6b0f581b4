/** Models in this browser: the list of what is kept, the one that is being fetched, and the files of one. */
import { SvelteMap } from 'svelte/reactivity';
import type { Plan } from '$lib/store/hub.ts';
import { lockName, webLocks, type Locks } from '$lib/store/locks.ts';
import { modelName, readModelId } from '$lib/store/model-id.ts';
import type { DownloadProgress, KeptModel, ModelFiles, Space } from '$lib/store/store.ts';
import { words } from '$lib/ui/words/index.ts';
import type { StoreClient } from '$lib/worker/store-client.ts';
import { isAbort, sentenceOf } from './message.ts';

export interface Fetching extends DownloadProgress {
	id: string;
	name: string;
	/** Dropped files on their way into the browser's storage. */
	copying: boolean;
}

/** An experiment's model is not here: fetching it is the reader's to decide. */
export class AbsentModel extends Error {
	readonly kind = 'absent';
	constructor(readonly id: string) {
		super(`${id} is not here`);
	}
}

export class KeptModels {
	readonly #connect: () => Promise<StoreClient>;
	readonly #locks: Locks;
	#client: Promise<StoreClient> | null = null;
	/** Files dropped in this visit. */
	readonly #dropped = new SvelteMap<string, ModelFiles>();
	models = $state.raw<KeptModel[]>([]);
	space = $state.raw<Space | null>(null);
	fetching = $state.raw<Fetching | null>(null);
	problem = $state('');
	/** For screen readers. */
	said = $state('');

	/** `connect` starts the thread that keeps models; tests bring their own. */
	constructor(connect: () => Promise<StoreClient>, locks: Locks = webLocks()) {
		this.#connect = connect;
		this.#locks = locks;
	}

	store(): Promise<StoreClient> {
		return (this.#client ??= this.#connect());
	}

	async refresh(): Promise<void> {
		await this.#try(async (store) => {
			const { models, space } = await store.list();
			this.models = models;
			this.space = space;
		});
	}

	dropped(id: string): ModelFiles | null {
		return this.#dropped.get(id) ?? null;
	}

	/** Has dropped files at hand for this visit; they are read where they lie. */
	take(id: string, files: ModelFiles): void {
		this.#dropped.set(id, files);
	}

	/** Fetches a plan, or copies dropped files. What has arrived is kept, whatever happens. */
	async fetch(id: string, from: Plan | ModelFiles, have: number, total: number): Promise<void> {
		if (this.fetching) return;
		const name = modelName(id);
		const copying = !isPlan(from);
		const report = (progress: DownloadProgress) => (this.fetching = { ...progress, id, name, copying });
		report({ loaded: have, total, waiting: false });
		this.problem = '';
		// Asked for on a click; without it the browser may clear the files away when it needs room.
		void globalThis.navigator?.storage?.persist?.().catch(() => false);
		await this.#try(async (store) => {
			await (isPlan(from) ? store.download(from, report) : store.keep(id, from, report));
			this.said = words.download.done(name);
		}, () => (this.said = words.download.stopped(name)));
		this.fetching = null;
		await this.refresh();
	}

	stop(): void {
		void this.#client?.then((store) => store.cancel());
	}

	async remove(id: string): Promise<void> {
		this.problem = '';
		await this.#try(async (store) => {
			await store.remove(id);
			this.said = words.download.deleted(modelName(id));
		});
		await this.refresh();
	}

	/** The files of a model that is here; null for a model of the site, and for one that is not here. */
	async files(id: string): Promise<ModelFiles | null> {
		const { kind } = readModelId(id);
		if (kind === 'site' || kind === 'path') return null;
		return this.dropped(id) ?? (await this.store()).files(id);
	}

	/** Runs `load` while no other tab can delete the model. Throws AbsentModel when it is not here. */
	async reading(id: string, load: (files: ModelFiles | null) => Promise<unknown>): Promise<void> {
		if (readModelId(id).kind === 'site') return void (await load(null));
		await this.#locks.hold(lockName(id), 'shared', async () => {
			const files = await this.files(id);
			if (!files) throw new AbsentModel(id);
			await load(files);
		});
	}

	async #try(job: (store: StoreClient) => Promise<void>, aborted: () => void = () => {}): Promise<void> {
		try {
			await job(await this.store());
		} catch (error) {
			if (isAbort(error)) aborted();
			else this.problem = sentenceOf(error);
		}
	}
}

function isPlan(from: Plan | ModelFiles): from is Plan {
	return typeof from.commit === 'string';
}
