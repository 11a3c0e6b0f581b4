/** Jobs one after another, in the order in which they came. `abort` overtakes. */

export function abortError(): DOMException {
	return new DOMException('The run was stopped.', 'AbortError');
}

export class JobQueue {
	#tail: Promise<unknown> = Promise.resolve();
	#controller = new AbortController();

	/** Runs `job` after all jobs before it have ended, whether well or not. */
	run<T>(job: (signal: AbortSignal) => Promise<T>): Promise<T> {
		const { signal } = this.#controller;
		const result = this.#tail.then(() => {
			if (signal.aborted) throw abortError();
			return job(signal);
		});
		this.#tail = result.catch(() => undefined);
		return result;
	}

	/** Ends the running job at its next look at the signal, and those that wait at once. Later jobs run. */
	abort(): void {
		this.#controller.abort(abortError());
		this.#controller = new AbortController();
	}
}

/** Lets messages in (an abort, for one): a task of its own, not a microtask. */
export function breathe(): Promise<void> {
	return new Promise((resolve) => {
		const { port1, port2 } = new MessageChannel();
		port1.onmessage = () => {
			port1.close();
			resolve();
		};
		port2.postMessage(null);
	});
}
