/** A cell run again in this page: the model is loaded once, then text by text is measured in the computing thread. */
import { words } from '$lib/ui/words/index.ts';
import type { MethodSpec } from '$lib/documents/experiment.ts';
import type { MeasuredAgain } from '$lib/lab/sweep/again.ts';
import { engineInAddress } from '$lib/worker/choice.ts';
import type { LabClient } from '$lib/worker/client.ts';
import { plain } from '../state/engine.svelte.ts';
import { sentenceOf } from '../state/message.ts';

export interface AgainJob {
	model: string;
	task: string;
	options: Record<string, string | number | boolean>;
	stack: MethodSpec[];
	seeds: readonly number[];
}

export interface AgainOptions {
	/** Where the site lies, for the model's files. */
	site: () => string;
	/** Makes a client; tests bring their own. */
	connect?: () => Promise<LabClient>;
}

async function connect(): Promise<LabClient> {
	const { LabClient } = await import('$lib/worker/client.ts');
	return new LabClient();
}

export class Again {
	readonly #options: AgainOptions;
	#client: LabClient | null = null;
	#loaded: string | null = null;
	#generation = 0;
	busy = $state(false);
	/** What is being done, in words. */
	doing = $state('');
	problem = $state('');
	/** Name of what computes; empty before anything was measured. */
	backend = $state('');
	/** What was measured for the cell that is looked at, by seed, in the order of the measuring. */
	results = $state.raw<{ seed: number; measured: MeasuredAgain }[]>([]);

	constructor(options: AgainOptions) {
		this.#options = options;
	}

	/** Measures the seeds that are not there yet, one after the other; each stands on the page as soon as it is done. */
	async run({ model, task, options, stack, seeds }: AgainJob): Promise<void> {
		if (this.busy) return;
		const mine = this.#begin();
		const todo = seeds.filter((seed) => !this.results.some((result) => result.seed === seed));
		try {
			const client = await this.#ready(model, mine);
			for (const [done, seed] of todo.entries()) {
				if (!client || !mine()) return;
				this.doing = words.compare.cell.working(done, todo.length);
				const measured = await client.measure(plain({ task, options, seed, stack }));
				if (mine()) this.results = [...this.results, { seed, measured }];
			}
		} catch (error) {
			if (!mine()) return;
			// Whatever state the thread is in, the next try begins with a new one.
			this.#drop();
			this.problem = words.compare.cell.failed(sentenceOf(error));
		} finally {
			if (mine()) this.#rest();
		}
	}

	/** Ends what runs; what was measured stays. */
	stop(): void {
		if (!this.busy) return;
		this.#generation++;
		this.#drop();
		this.#rest();
	}

	/** Another cell is looked at. */
	clear(): void {
		this.stop();
		this.results = [];
		this.problem = '';
	}

	dispose(): void {
		this.#generation++;
		this.#drop();
	}

	async #ready(model: string, mine: () => boolean): Promise<LabClient | null> {
		if (this.#client && this.#loaded === model) return this.#client;
		this.#drop();
		const client = await (this.#options.connect ?? connect)();
		if (!mine()) {
			client.dispose();
			return null;
		}
		this.#client = client;
		const { engine } = await client.load(model, { site: this.#options.site(), ...engineInAddress() }, (progress) => {
			const { loaded, total } = progress as { loaded?: number; total?: number };
			if (mine() && loaded !== undefined && total) this.doing = words.compare.cell.loaded(loaded / total);
		});
		if (!mine()) return null;
		this.#loaded = model;
		this.backend = words.backends[engine.backend];
		return client;
	}

	#begin(): () => boolean {
		const generation = ++this.#generation;
		this.busy = true;
		this.problem = '';
		this.doing = words.compare.cell.loading;
		return () => generation === this.#generation;
	}

	#rest(): void {
		this.busy = false;
		this.doing = '';
	}

	#drop(): void {
		this.#client?.dispose();
		this.#client = null;
		this.#loaded = null;
	}
}
