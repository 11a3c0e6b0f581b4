/** The store as a page sees it. What goes wrong arrives as a LabError whose message is a sentence for the reader. */
import { proxy, wrap, type Endpoint, type Remote } from 'comlink';
import type { Plan } from '$lib/store/hub.ts';
import type { DownloadProgress, ModelFiles } from '$lib/store/store.ts';
import { inWords, LabError } from './failures.ts';
import type { Shelved, StoreService } from './store-protocol.ts';

type OnProgress = (progress: DownloadProgress) => void;

export class StoreClient {
	readonly #store: Remote<StoreService>;
	#dead: (error: LabError) => void = () => {};
	/** Ends every open call when the thread dies. */
	readonly #death: Promise<never>;

	/** Tests bring their own endpoint. */
	constructor(endpoint: Endpoint = startThread((reason) => this.#die(reason))) {
		this.#store = wrap<StoreService>(endpoint);
		this.#death = new Promise((_, reject) => (this.#dead = reject));
		this.#death.catch(() => {});
	}

	list(): Promise<Shelved> {
		return this.#call(this.#store.list());
	}

	plan(id: string, hub: string): Promise<Plan> {
		return this.#call(this.#store.plan(id, hub));
	}

	download(plan: Plan, onProgress: OnProgress): Promise<void> {
		return this.#call(this.#store.download(plan, proxy(onProgress)));
	}

	keep(id: string, files: ModelFiles, onProgress: OnProgress): Promise<void> {
		return this.#call(this.#store.keep(id, files, proxy(onProgress)));
	}

	files(id: string): Promise<ModelFiles | null> {
		return this.#call(this.#store.files(id));
	}

	remove(id: string): Promise<void> {
		return this.#call(this.#store.remove(id));
	}

	cancel(): void {
		void this.#store.cancel();
	}

	#die(reason: string): void {
		this.#dead(new LabError('crash', `The thread that keeps models stopped unexpectedly (${reason}). What has arrived is kept; reload the page to go on.`));
	}

	async #call<T>(answer: Promise<T>): Promise<T> {
		try {
			return await Promise.race([answer, this.#death]);
		} catch (error) {
			throw inWords(error);
		}
	}
}

function startThread(onCrash: (reason: string) => void): Endpoint {
	const worker = new Worker(new URL('./store-server.ts', import.meta.url), { type: 'module', name: 'store' });
	worker.addEventListener('error', (event) => onCrash(event.message || 'it could not be started'));
	return worker;
}
