/** A lab page whose threads are played by fakes. */
import type { Experiment } from '$lib/documents/experiment.ts';
import type { Trace, TraceSource } from '$lib/documents/trace.ts';
import type { EngineChoice } from '$lib/lab/lab.ts';
import { syntheticSource, syntheticTrace } from '$lib/views/testing/synthetic.ts';
import type { LabClient } from '$lib/worker/client.ts';
import { LabError } from '$lib/worker/failures.ts';
import type { StoreClient } from '$lib/worker/store-client.ts';
import { FIRST_EXPERIMENT } from '../experiments.ts';
import { LabState, type LabStateOptions } from '../lab-state.svelte.ts';

/** A client that plays a made-up trace step by step. */
export class FakeClient {
	calls: string[] = [];
	engines: EngineChoice[] = [];
	listeners = new Set<(trace: Trace) => void>();
	trace!: Trace;
	whole = syntheticTrace();
	fail: Error | null = null;
	/** Errors of the next calls of advance. */
	failing: (Error | null)[] = [];
	gate: Promise<void> = Promise.resolve();
	lose: (error: LabError) => void = () => {};
	onFailed(listener: (error: LabError) => void) { this.lose = listener; }
	subscribe(listener: (trace: Trace) => void) { this.listeners.add(listener); return () => this.listeners.delete(listener); }
	async load(model: string, engine: EngineChoice, progress?: (p: { loaded: number; total: number }) => void) {
		this.calls.push(`load ${model}`);
		this.engines.push(engine);
		progress?.({ loaded: 1, total: 2 });
		await this.gate;
		return {};
	}
	async start(experiment: Experiment) {
		this.calls.push('start');
		if (this.fail) throw this.fail;
		this.trace = { ...this.whole, provenance: 'measured', experiment, done: false, reference: { ...this.whole.reference, steps: [] }, arms: this.whole.arms.map((arm) => ({ ...arm, steps: [] })) };
		this.tell();
		return this.trace;
	}
	async advance() {
		this.calls.push('advance');
		const failure = this.failing.shift();
		if (failure) throw failure;
		const i = this.trace.reference.steps.length;
		this.trace.reference.steps.push(this.whole.reference.steps[i]);
		this.trace.arms.forEach((arm, k) => arm.steps.push(this.whole.arms[k].steps[i]));
		this.trace.done = i + 1 === this.whole.reference.steps.length;
		this.tell();
		return this.trace.done;
	}
	tell(): unknown { return [...this.listeners].map((listener) => listener(this.trace)); }
	probe() { return Promise.resolve(null); }
	weigh: LabClient['weigh'] = () => Promise.reject(new Error('not weighed here'));
	abort() { this.calls.push('abort'); }
	dispose() { this.calls.push('dispose'); this.listeners.clear(); }
}

export const lost = () => new LabError('device', 'The graphics device was lost (driver reset).');

/** A lab page; `client` plays every computing thread, one after another. */
export function makeLab(recording: TraceSource | null = syntheticSource(), options: Partial<LabStateOptions> & { store?: Partial<StoreClient> } = {}) {
	const client = new FakeClient();
	const hashes: string[] = [];
	const { store, ...rest } = options;
	const lab = new LabState(recording, FIRST_EXPERIMENT, {
		site: () => '/', replaceHash: (hash) => hashes.push(hash), connect: () => Promise.resolve(client as unknown as LabClient),
		connectStore: () => Promise.resolve({ files: async () => null, list: async () => ({ models: [], space: { kind: 'opfs', used: 0, quota: 1e9 } }), ...store } as unknown as StoreClient),
		...rest
	});
	return { lab, client, hashes };
}
