/**
 * The computing thread as the page uses it: started when first needed, thrown away when it is lost,
 * and always able to be brought to where a run was.
 */
import type { Experiment } from '$lib/documents/experiment.ts';
import { stepsDone } from '$lib/documents/read.ts';
import type { Trace, TraceSource } from '$lib/documents/trace.ts';
import type { LoadProgress } from '$lib/lab/lab.ts';
import type { LabClient } from '$lib/worker/client.ts';
import type { EngineHost } from './host.ts';

export type Activity = 'idle' | 'loading' | 'reading' | 'running' | 'stepping' | 'repeating';

export class Engine {
	readonly #host: EngineHost;
	#client: LabClient | null = null;
	/** Model and choices that are loaded. */
	#loaded: string | null = null;
	/** While a run is repeated, what is drawn stays. */
	#silent = false;
	activity = $state<Activity>('idle');
	progress = $state.raw<LoadProgress | null>(null);
	/** A run is there that can go on. */
	live = $state(false);

	constructor(host: EngineHost) {
		this.#host = host;
	}

	/** The client, started if need be; null when `mine` says that nobody wants it any more. */
	async client(mine: () => boolean = () => true): Promise<LabClient | null> {
		if (this.#client) return this.#client;
		const client = await this.#host.connect();
		if (!mine() || this.#client) {
			client.dispose();
			return mine() ? this.#client : null;
		}
		client.onFailed((error) => this.#client === client && this.#host.lost(error));
		client.subscribe((trace) => {
			if (!this.#silent) this.#host.show(sourceOf(trace, client));
		});
		return (this.#client = client);
	}

	/** Model and run as the experiment wants them; `anew` begins the run again. False when nobody wants it any more. */
	async ready(experiment: Experiment, choice: string, anew: boolean, mine: () => boolean): Promise<boolean> {
		if (!this.#client) this.activity = 'loading';
		const client = await this.client(mine);
		if (!client) return false;
		if (this.#loaded !== choice) {
			this.activity = 'loading';
			this.progress = null;
			this.live = false;
			this.#loaded = null;
			await this.#host.withModel(experiment.model, (found) => client.load(experiment.model, found, (progress) => (this.progress = progress)));
			this.progress = null;
			if (!mine()) return false;
			this.#loaded = choice;
		}
		if (!this.live || anew) {
			this.activity = 'reading';
			await client.start(plain(experiment));
			if (!mine()) return false;
			this.live = true;
		}
		return true;
	}

	/** One step; true when no further one will come. */
	advance(): Promise<boolean> {
		return this.#client!.advance(1);
	}

	/** Loads again and takes `steps` steps, showing nothing before they are all there; the trace. */
	async repeat(experiment: Experiment, choice: string, steps: number, mine: () => boolean): Promise<Trace | null> {
		this.#silent = true;
		try {
			if (!(await this.ready(experiment, choice, true, mine))) return null;
			this.activity = 'repeating';
			while (stepsDone(this.#client!.trace) < steps) {
				if (await this.#client!.advance(1)) break;
				if (!mine()) return null;
			}
		} finally {
			this.#silent = false;
		}
		const { trace } = this.#client!;
		this.#host.show(sourceOf(trace, this.#client!));
		return trace;
	}

	abort(): void {
		this.#client?.abort();
	}

	/** Ends the thread and frees all that it held. The next call starts another. */
	drop(): void {
		this.#client?.dispose();
		this.#client = null;
		this.#loaded = null;
		this.live = false;
	}
}

/** The client's trace grows in place; the pictures want a new value for every step. */
function sourceOf(trace: Trace, client: LabClient): TraceSource {
	return {
		trace: {
			...trace,
			reference: { ...trace.reference, steps: trace.reference.steps.slice() },
			arms: trace.arms.map((arm) => ({ ...arm, steps: arm.steps.slice(), diffs: arm.diffs.slice(), verbs: arm.verbs.slice() }))
		},
		probe: (request, signal) => client.probe(request, signal)
	};
}

/** Proxies and undefined do not cross threads. */
export function plain<T>(value: T): T {
	return JSON.parse(JSON.stringify(value)) as T;
}
