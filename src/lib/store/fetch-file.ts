/**
 * Fetches one file onto a shelf. What has arrived stays there; the next attempt asks for the rest
 * (HTTP Range) and starts again when the server has no such thing or has another version.
 */
import { ModelError } from '$lib/model/error.ts';
import type { Shelf } from './shelf.ts';

export interface Wanted {
	/** For messages. */
	path: string;
	url: string;
	size: number;
	/** The server's mark of the version of which a part may be here. */
	etag: string | null;
}

export interface FetchOptions {
	fetch: typeof fetch;
	signal?: AbortSignal;
	/** Bytes that are here. */
	onBytes?: (have: number) => void;
	/** The version that now arrives; waited for before its first byte is kept. */
	onVersion?: (etag: string | null) => Promise<void>;
	/** Waits before attempt n (1, 2, …) after one that brought nothing. */
	wait?: (attempt: number) => Promise<void>;
}

/** Attempts in a row that bring no new byte before it is given up. */
const ATTEMPTS = 4;
/** Times that a file is begun anew: a server whose file never has the length it should must not be asked for ever. */
const RESTARTS = 3;

/** Something that may be over in a moment. */
class Interruption extends Error {}

/** Throws ModelError in words for the reader; the signal's reason when it is aborted. What has arrived is kept. */
export async function fetchInto(shelf: Shelf, name: string, wanted: Wanted, options: FetchOptions): Promise<void> {
	const { signal, onBytes, wait = backOff } = options;
	let version = wanted.etag;
	let restarts = 0;
	let fruitless = 0;
	const restart = async (why: string) => {
		if (++restarts > RESTARTS) throw new ModelError(`${wanted.path} cannot be had whole: ${why} Try again later.`);
		await shelf.remove(name);
		version = null;
	};
	for (;;) {
		signal?.throwIfAborted();
		const have = await shelf.size(name);
		onBytes?.(have);
		if (have === wanted.size && (have > 0 || (await shelf.read(name)))) return;
		if (have > wanted.size) {
			await restart(`the server sends more than the ${wanted.size} bytes that it should have.`);
			continue;
		}
		try {
			const response = await ask(options, wanted, have);
			if (!goesOn(response, have, wanted.size, version)) {
				if (response.status === 200) await shelf.remove(name);
				else {
					await drop(response.body);
					await restart('what the server sends does not go on where the last part ended.');
					continue;
				}
			}
			version = response.headers.get('etag');
			await options.onVersion?.(version);
			await pour(response, shelf, name, wanted.size, options);
			if ((await shelf.size(name)) < wanted.size) throw new Interruption('the connection ended too early');
		} catch (error) {
			signal?.throwIfAborted();
			if (!(error instanceof Interruption)) throw error;
			fruitless = (await shelf.size(name)) > have ? 0 : fruitless + 1;
			if (fruitless >= ATTEMPTS) {
				throw new ModelError(`${wanted.path} could not be fetched: ${error.message}. What has arrived is kept; the next attempt goes on from there.`, { cause: error });
			}
			await wait(fruitless);
		}
	}
}

async function ask({ fetch, signal }: FetchOptions, { url, path, size }: Wanted, have: number): Promise<Response> {
	const response = await fetch(url, {
		...(signal ? { signal } : {}), ...(have > 0 ? { headers: { Range: `bytes=${have}-${size - 1}` } } : {})
	}).catch((error: unknown) => {
		signal?.throwIfAborted();
		throw new Interruption(`the connection failed (${error instanceof Error ? error.message : String(error)})`);
	});
	const { status } = response;
	// The range is refused: what is here is no part of what the server has.
	if (response.ok || status === 416) return response;
	await drop(response.body);
	if (status >= 500 || status === 408 || status === 429) throw new Interruption(`the server answered ${status}`);
	throw new ModelError(status === 401 || status === 403
		? `${path} is not open to everybody: the server answered ${status}. Choose a model that needs no account, or drop its files on the page.`
		: `${path} could not be fetched: the server answered ${status}.`);
}

/** Of a stream that failed or ended, cancelling says nothing new. */
const drop = (stream: { cancel(): Promise<void> } | null) => stream?.cancel().catch(() => {});

/** Whether the answer holds the bytes from `have` on, of the same version and length. */
function goesOn(response: Response, have: number, size: number, version: string | null): boolean {
	if (have === 0) return response.status === 200 || response.status === 206;
	if (response.status !== 206) return false;
	const etag = response.headers.get('etag');
	if (etag && version && etag !== version) return false;
	// The header is not always readable across origins; then the length of the whole decides in the end.
	const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '');
	return !range || (Number(range[1]) === have && (range[2] === '*' || Number(range[2]) === size));
}

/** Adds the body to the file, but not more than one piece beyond the size that the file should have. */
async function pour(response: Response, shelf: Shelf, name: string, size: number, { signal, onBytes }: FetchOptions): Promise<void> {
	let have = await shelf.size(name);
	const sink = await shelf.append(name);
	const reader = response.body!.getReader();
	try {
		while (have <= size) {
			const { done, value } = await reader.read().catch((error: unknown) => {
				throw new Interruption(`the connection broke (${error instanceof Error ? error.message : String(error)})`);
			});
			signal?.throwIfAborted();
			if (done) return;
			await sink.write(value);
			have += value.length;
			onBytes?.(have);
		}
	} finally {
		await sink.close();
		await drop(reader);
	}
}

function backOff(attempt: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, attempt === 0 ? 0 : 500 * 2 ** attempt));
}
