/**
 * The lab as a page sees it. All computing happens in another thread; whatever goes wrong there
 * arrives here as a LabError whose message is a sentence for the reader.
 */
import { proxy, wrap, type Endpoint, type Remote } from 'comlink';
import type { Experiment } from '$lib/documents/experiment.ts';
import type { Probe, ProbeOf, ProbeRequest, Trace, TraceSource } from '$lib/documents/trace.ts';
import type { EngineChoice, LoadProgress } from '$lib/lab/lab.ts';
import type { Result } from '$lib/lab/result.ts';
import type { CellAgain, MeasuredAgain } from '$lib/lab/sweep/again.ts';
import { applyUpdate, type StepUpdate } from '$lib/lab/update.ts';
import { inWords, LabError } from './failures.ts';
import { Patience } from './patience.ts';
import type { Loaded, LabService } from './protocol.ts';
import type { Weighing, WeighRequest } from './weigh.ts';

export { LabError } from './failures.ts';

/** A connection to a thread; tests bring their own. */
export interface Connection {
	endpoint: Endpoint;
	terminate(): void;
	/** Calls back when the thread dies. */
	onCrash(report: (reason: string) => void): void;
}

function startThread(): Connection {
	const worker = new Worker(new URL('./server.ts', import.meta.url), { type: 'module', name: 'lab' });
	return {
		endpoint: worker,
		terminate: () => worker.terminate(),
		onCrash(report) {
			worker.addEventListener('error', (event) => report(event.message || 'it could not be started'));
			worker.addEventListener('messageerror', () => report('a message could not be read'));
		}
	};
}

export interface LabClientOptions {
	connect?: () => Connection;
	/** Milliseconds without any sign of life during a call, after which it is given up. */
	patience?: number;
}

export class LabClient implements TraceSource {
	readonly #connection: Connection;
	readonly #lab: Remote<LabService>;
	readonly #patience: number;
	#failed: LabError | null = null;
	#pending = new Set<(error: LabError) => void>();
	#waits = new Set<Patience>();
	#onFailed: (error: LabError) => void = () => {};
	#trace: Trace | null = null;
	#listeners = new Set<(trace: Trace, update: StepUpdate | null) => void>();
	/** Updates of a run that was given up may still be on their way. */
	#generation = 0;

	constructor(options: LabClientOptions = {}) {
		this.#patience = options.patience ?? 120_000;
		this.#connection = (options.connect ?? startThread)();
		this.#lab = wrap<LabService>(this.#connection.endpoint);
		this.#connection.onCrash((reason) => this.#fail(new LabError('crash',
			`The computing thread stopped unexpectedly (${reason}).`)));
		void this.#lab.onDeviceLost(proxy((reason: string) => this.#fail(new LabError('device',
			`The graphics device was lost (${reason}).`))));
	}

	/** Calls back when the thread or its device is lost, just before open calls end with the same error. */
	onFailed(listener: (error: LabError) => void): void {
		this.#onFailed = listener;
	}

	/** The trace of the run so far. Throws before `start`. */
	get trace(): Trace {
		if (!this.#trace) throw new LabError('other', 'Nothing is running yet.');
		return this.#trace;
	}

	get started(): boolean {
		return this.#trace !== null;
	}

	/** Hears of every new trace (`update` null) and every step; gives back how to stop hearing. */
	subscribe(listener: (trace: Trace, update: StepUpdate | null) => void): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	load(modelId: string, engine: EngineChoice = {}, onProgress?: (progress: LoadProgress) => void): Promise<Loaded> {
		return this.#call(() => this.#lab.load(modelId, engine, proxy((progress: LoadProgress) => {
			this.#alive();
			onProgress?.(progress);
		})));
	}

	/** Reads and compresses the prompt; the trace has no step yet. */
	async start(experiment: Experiment): Promise<Trace> {
		const generation = ++this.#generation;
		const trace = await this.#call(() => this.#lab.start(experiment));
		if (generation === this.#generation) {
			this.#trace = trace;
			for (const listener of this.#listeners) listener(trace, null);
		}
		return trace;
	}

	/** Takes up to `steps` steps; true when no further step will come. */
	advance(steps: number, onStep?: (update: StepUpdate) => void): Promise<boolean> {
		const generation = this.#generation;
		return this.#call(() => this.#lab.advance(steps, proxy((update: StepUpdate) => {
			this.#alive();
			if (generation !== this.#generation || !this.#trace) return;
			applyUpdate(this.#trace, update);
			onStep?.(update);
			for (const listener of this.#listeners) listener(this.#trace, update);
		})));
	}

	async probe<R extends ProbeRequest>(request: R, signal?: AbortSignal): Promise<ProbeOf<R> | null> {
		signal?.throwIfAborted();
		const probe = await this.#call(async () => (await this.#lab.probe(request)) as Probe | null);
		signal?.throwIfAborted();
		return probe as ProbeOf<R> | null;
	}

	result(): Promise<Result> {
		return this.#call(() => this.#lab.result());
	}

	/** A cell of a sweep, on one text; the run stays as it is. */
	measure(cell: CellAgain): Promise<MeasuredAgain> {
		return this.#call(() => this.#lab.measure(cell));
	}

	/** What a model would take of this machine, without loading it. */
	weigh(request: WeighRequest): Promise<Weighing> {
		return this.#call(() => this.#lab.weigh(request));
	}

	/** Stops what runs and what waits; those promises end with an AbortError. Overtakes all else. */
	abort(): void {
		if (!this.#failed) void this.#lab.abort();
	}

	/** Ends the thread. Calls still open end with an AbortError. */
	dispose(): void {
		this.#generation++;
		this.#connection.terminate();
		this.#onFailed = () => {};
		this.#fail(new LabError('other', 'The lab was closed.'));
		this.#listeners.clear();
	}

	#alive(): void {
		for (const wait of this.#waits) wait.alive();
	}

	#fail(error: LabError): void {
		if (this.#failed) return;
		this.#failed = error;
		this.#onFailed(error);
		for (const reject of [...this.#pending]) reject(error);
	}

	/** A call that ends even if the thread never answers. */
	#call<T>(make: () => Promise<T>): Promise<T> {
		if (this.#failed) return Promise.reject(this.#failed);
		return new Promise<T>((resolve, reject) => {
			const settle = (end: () => void) => {
				patience.stop();
				this.#pending.delete(fail);
				this.#waits.delete(patience);
				end();
			};
			const fail = (error: LabError) => settle(() => reject(error));
			const patience = new Patience(this.#patience, () => fail(new LabError('silent',
				`The computing thread has not answered for ${Math.round(this.#patience / 1000)} seconds. `
				+ 'The prompt may be too long for this machine; try a shorter one.')));
			this.#pending.add(fail);
			this.#waits.add(patience);
			make().then((value) => settle(() => resolve(value)), (error: unknown) => settle(() => reject(inWords(error))));
		});
	}
}
