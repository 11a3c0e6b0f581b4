/** Locks that all tabs of the site share: one tab writes a model's files while others wait, or several read. */

export interface Locks {
	/**
	 * Runs `job` under the lock. When somebody else has it, `onWait` is called and the job waits; the
	 * signal ends the waiting.
	 */
	hold<T>(name: string, mode: 'exclusive' | 'shared', job: () => Promise<T>, options?: { signal?: AbortSignal; onWait?: () => void }): Promise<T>;
	/** Runs `job` if the lock is free now; null when it is not. */
	tryHold<T>(name: string, job: () => Promise<T>): Promise<T | null>;
}

/** Web Locks; where a browser has none, everything is taken as free. */
export function webLocks(manager: LockManager | undefined = globalThis.navigator?.locks): Locks {
	if (!manager) return { hold: (_name, _mode, job) => job(), tryHold: (_name, job) => job() };
	return {
		async hold(name, mode, job, { signal, onWait } = {}) {
			if (onWait) {
				const { held = [], pending = [] } = await manager.query();
				const taken = [...held, ...pending].some((lock) => lock.name === name && (mode === 'exclusive' || lock.mode === 'exclusive'));
				if (taken) onWait();
			}
			return manager.request(name, { mode, ...(signal ? { signal } : {}) }, job) as ReturnType<typeof job>;
		},
		tryHold: (name, job) => manager.request(name, { ifAvailable: true }, (lock) => (lock ? job() : null)) as Promise<Awaited<ReturnType<typeof job>> | null>
	};
}

/** The lock of one model's files. */
export const lockName = (id: string) => `winnow model ${id}`;
