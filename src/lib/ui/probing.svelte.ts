/**
 * Asks a trace source for what a picture needs beyond the trace. A newer question cancels the
 * older; the old answer stays, marked stale, until the new one is there.
 */
import { untrack } from 'svelte';
import { probeKey, type ProbeOf, type ProbeRequest, type TraceSource } from '$lib/documents/trace.ts';

export type ProbeStatus = 'idle' | 'loading' | 'ready' | 'absent' | 'failed';

export class Probing<R extends ProbeRequest> {
	#value = $state.raw<ProbeOf<R> | null>(null);
	#status = $state<ProbeStatus>('idle');
	#message = $state('');
	#key = '';

	/**
	 * Call while a component is being set up. `request` null asks nothing. `version` makes the same
	 * question be asked again when it changes (a live run has taken a step).
	 */
	constructor(source: () => TraceSource, request: () => R | null, version: () => unknown = () => 0, patience = 40) {
		$effect(() => {
			const from = source();
			const wanted = request();
			version();
			const key = wanted ? probeKey(wanted) : '';
			if (!wanted) {
				this.#status = 'idle';
				return;
			}
			const abort = new AbortController();
			const wait = untrack(() => this.#value) === null ? 0 : patience;
			this.#status = 'loading';
			const timer = setTimeout(() => void this.#ask(from, wanted, key, abort), wait);
			return () => {
				clearTimeout(timer);
				abort.abort();
			};
		});
	}

	async #ask(from: TraceSource, wanted: R, key: string, abort: AbortController): Promise<void> {
		try {
			const answer = await from.probe(wanted, abort.signal);
			if (abort.signal.aborted) return;
			this.#value = answer;
			this.#key = key;
			this.#status = answer ? 'ready' : 'absent';
		} catch (error) {
			if (abort.signal.aborted) return;
			this.#message = error instanceof Error ? error.message : String(error);
			this.#status = 'failed';
		}
	}

	/** The last answer; it belongs to the present question only when `status` is 'ready'. */
	get value(): ProbeOf<R> | null { return this.#value; }
	get status(): ProbeStatus { return this.#status; }
	get message(): string { return this.#message; }
	/** An answer is shown while another is awaited. */
	get stale(): boolean { return this.#status === 'loading' && this.#value !== null; }
	/** `probeKey` of the question that `value` answers. */
	get key(): string { return this.#key; }
}
