/** A server for tests that answers ranges and misbehaves when told to. */

export interface Answering {
	/** An error instead of the file. */
	status?: number;
	/** The connection breaks after so many bytes of this answer. */
	breakAfter?: number;
	/** Nothing more comes after so many bytes, until the request is aborted. */
	stallAfter?: number;
	/** The answer ends after so many bytes, as if all were well. */
	endAfter?: number;
	/** Answers ranges with the whole file. */
	ranges?: boolean;
	etag?: string;
	/** A range begins so many bytes late. */
	shift?: number;
	/** What it says is the length of the whole. */
	total?: number;
	/** Bytes after the file's end. */
	extra?: number;
}

export interface FakeServer {
	fetch: typeof fetch;
	requests: { path: string; from: number | null }[];
}

/** The n-th request is answered as `behave[n]` says; later ones, and files that are not there, as a good server does. */
export function fakeServer(files: Record<string, Uint8Array | string>, behave: Answering[] = []): FakeServer {
	const requests: FakeServer['requests'] = [];
	const answer = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
		init?.signal?.throwIfAborted();
		const path = decodeURIComponent(new URL(String(input)).pathname);
		const range = /^bytes=(\d+)-/.exec(new Headers(init?.headers).get('range') ?? '');
		requests.push({ path, from: range ? Number(range[1]) : null });
		const how = behave.shift() ?? {};
		const found = files[path];
		const file = typeof found === 'string' ? new TextEncoder().encode(found) : found;
		const status = how.status && how.status !== 200 ? how.status : !file ? 404 : 0;
		if (status) return new Response(`status ${status}`, { status });
		const partial = range !== null && how.ranges !== false;
		const from = partial ? Number(range[1]) + (how.shift ?? 0) : 0;
		const body = file.slice(from);
		const whole = new Uint8Array(body.length + (how.extra ?? 0));
		whole.set(body);
		return new Response(stream(whole, how, init?.signal), {
			status: partial ? 206 : 200,
			headers: { etag: how.etag ?? '"1"', ...(partial ? { 'content-range': `bytes ${from}-${file.length - 1}/${how.total ?? file.length}` } : {}) }
		});
	};
	return { fetch: answer as typeof fetch, requests };
}

function stream(bytes: Uint8Array<ArrayBuffer>, { breakAfter = Infinity, endAfter = Infinity, stallAfter = Infinity }: Answering, signal?: AbortSignal | null): ReadableStream<Uint8Array<ArrayBuffer>> {
	let at = 0;
	const end = Math.min(bytes.length, breakAfter, endAfter, stallAfter);
	return new ReadableStream({
		start(controller) {
			signal?.addEventListener('abort', () => controller.error(signal.reason));
		},
		pull(controller) {
			if (at < end) controller.enqueue(bytes.slice(at, (at = Math.min(end, at + 900))));
			else if (end === stallAfter) return new Promise(() => {});
			else if (end === breakAfter && end < bytes.length) controller.error(new TypeError('network error'));
			else controller.close();
		}
	});
}

/** Bytes that differ from place to place. */
export function bytesOf(length: number, seed: number): Uint8Array<ArrayBuffer> {
	return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 5) * 7 + seed) & 255);
}

interface Held {
	name: string;
	mode: LockMode;
}

/** Web Locks in one process, in the order of the requests. */
export function fakeLockManager(): LockManager {
	const held = new Set<Held>();
	let waiting: (Held & { start: () => void })[] = [];
	const free = (name: string, mode: LockMode) => [...held].every((lock) => lock.name !== name || (mode === 'shared' && lock.mode === 'shared'));
	const next = () => {
		for (const request of [...waiting]) {
			if (!free(request.name, request.mode)) continue;
			waiting = waiting.filter((other) => other !== request);
			request.start();
		}
	};
	const request = async (name: string, { mode = 'exclusive', ifAvailable, signal }: LockOptions, job: (lock: Held | null) => unknown) => {
		signal?.throwIfAborted();
		const lock = { name, mode };
		if (ifAvailable && !free(name, mode)) return job(null);
		if (!free(name, mode)) {
			await new Promise<void>((resolve, reject) => {
				const entry = { ...lock, start: () => (held.add(lock), resolve()) };
				waiting.push(entry);
				signal?.addEventListener('abort', () => {
					waiting = waiting.filter((other) => other !== entry);
					reject(signal.reason as Error);
				});
			});
		} else held.add(lock);
		try {
			return await job(lock);
		} finally {
			held.delete(lock);
			next();
		}
	};
	return { request, query: async () => ({ held: [...held], pending: waiting.map(({ name, mode }) => ({ name, mode })) }) } as unknown as LockManager;
}

/** The part of the hub that we use, at https://hub.test. */
export function fakeHub(repos: Record<string, { commit: string; files: Record<string, Uint8Array | string>; gated?: string }>, behave: Answering[] = []): FakeServer {
	const served: Record<string, Uint8Array | string> = {};
	for (const [repo, { commit, files, gated }] of Object.entries(repos)) {
		const info = JSON.stringify({ _id: '1', id: repo, sha: commit, private: false, gated: gated ?? false, downloads: 0, likes: 0, lastModified: '2025-01-01T00:00:00.000Z' });
		for (const revision of ['main', 'HEAD', commit]) served[`/api/models/${repo}/revision/${revision}`] = info;
		served[`/api/models/${repo}/tree/${commit}`] = JSON.stringify(Object.entries(files).map(([path, { length }]) => ({ type: 'file', path, oid: 'x', size: length })));
		for (const [path, content] of Object.entries(files)) served[`/${repo}/resolve/${commit}/${path}`] = content;
	}
	return fakeServer(served, behave);
}
