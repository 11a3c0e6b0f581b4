/** Holds the contestants of a group; the command that drives the browser calls these functions. */
import { wrap, type Remote } from 'comlink';
import type { Detail, Filling, Job, Opened } from './contestant.ts';
import type { Api, Task, Visit } from './worker.ts';
import type { Counts } from './counters.ts';

interface Entry {
	worker: Worker;
	api: Remote<Api>;
	/** Rejects when the worker breaks outside a call. */
	broken: Promise<never>;
}

const entries = new Map<string, Entry>();

function entryOf(id: string): Entry {
	const entry = entries.get(id);
	if (!entry) throw new Error(`no contestant ${id}`);
	return entry;
}

const held = <T>({ broken }: Entry, call: Promise<T>): Promise<T> => Promise.race([call, broken]);

export const bench = {
	async about(): Promise<{ isolated: boolean; cores: number; adapter: { vendor: string; architecture: string; description: string; isFallbackAdapter?: boolean } | null }> {
		const info = (await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' }))?.info;
		const adapter = info ? { vendor: info.vendor, architecture: info.architecture, description: info.description, isFallbackAdapter: info.isFallbackAdapter } : null;
		return { isolated: crossOriginIsolated, cores: navigator.hardwareConcurrency, adapter };
	},
	open(id: string, job: Job): Promise<Opened> {
		const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: id });
		const broken = new Promise<never>((_, reject) => worker.addEventListener('error', (event) => reject(new Error(event.message || 'the worker could not be loaded'))));
		broken.catch(() => {});
		const entry = { worker, api: wrap<Api>(worker), broken };
		entries.set(id, entry);
		return held(entry, entry.api.open(job));
	},
	fill: (id: string, filling: Filling): Promise<void> => held(entryOf(id), entryOf(id).api.fill(filling)),
	/** Logits as a plain array, so that they can leave the browser. */
	answer: async (id: string, task: Task): Promise<number[]> => Array.from(await held(entryOf(id), entryOf(id).api.answer(task))),
	visit: (id: string, task: Task, turns: number): Promise<Visit> => held(entryOf(id), entryOf(id).api.visit(task, turns)),
	count: (id: string, task: Task): Promise<{ counts: Counts | null; time: number }> => held(entryOf(id), entryOf(id).api.count(task)),
	detail: (id: string): Promise<Detail[]> => held(entryOf(id), entryOf(id).api.detail()),
	close(id: string): void {
		entries.get(id)?.worker.terminate();
		entries.delete(id);
	}
};

export type Bench = typeof bench;
Object.assign(globalThis, { bench });
document.title = 'ready';
