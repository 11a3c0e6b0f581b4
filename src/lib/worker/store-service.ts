/** The store behind messages. Free of thread code, so that a test can serve it over any channel. */
import { openStore } from '$lib/store/open.ts';
import type { DownloadProgress, Store } from '$lib/store/store.ts';
import { abortError } from './queue.ts';
import type { StoreService } from './store-protocol.ts';

/** Milliseconds between two reports of progress: more would only be drawn over. */
const REPORT = 100;

export function makeStoreService(open: () => Promise<Store> = openStore, now: () => number = () => performance.now()): StoreService {
	const store = open();
	let control = new AbortController();
	const begin = () => {
		control.abort(abortError());
		control = new AbortController();
		return control.signal;
	};
	/** A job that reports: seldom, but what is latest soon, and the last word heard before the answer comes. */
	const reporting = async (onProgress: (progress: DownloadProgress) => unknown, job: (report: (progress: DownloadProgress) => void) => Promise<void>) => {
		const heard: unknown[] = [];
		let last = -Infinity;
		let latest: DownloadProgress | null = null;
		// A download that stalls says nothing more, so what was held back is sent by itself.
		let due: ReturnType<typeof setTimeout> | undefined;
		const send = () => {
			clearTimeout(due);
			due = undefined;
			if (latest) heard.push(onProgress(latest));
			latest = null;
			last = now();
		};
		try {
			await job((progress) => {
				latest = progress;
				if (now() - last >= REPORT) send();
				else due ??= setTimeout(send, REPORT);
			});
		} finally {
			send();
			await Promise.all(heard);
		}
	};
	return {
		async list() {
			const here = await store;
			return { models: await here.list(), space: await here.space() };
		},
		plan: async (id, hub) => (await store).plan(id, { hub, signal: begin() }),
		download: async (plan, onProgress) => {
			const signal = begin();
			await reporting(onProgress, async (report) => (await store).download(plan, report, signal));
		},
		keep: async (id, files, onProgress) => {
			const signal = begin();
			await reporting(onProgress, async (report) => (await store).keep(id, new Map(Object.entries(files)), report, signal));
		},
		files: async (id) => (await store).files(id),
		remove: async (id) => (await store).remove(id),
		cancel: () => void begin()
	};
}
