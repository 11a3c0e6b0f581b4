/** What a repository of the Hugging Face Hub holds, and which of its files make a model. */
import { listFiles, modelInfo } from '@huggingface/hub';
import { ModelError } from '$lib/model/error.ts';
import type { WantedFile } from './manifest.ts';
import { HUB, readModelId, type ModelId } from './model-id.ts';
import { chooseFiles } from './files.ts';

export interface HubOptions {
	/** Address of the hub. */
	hub?: string;
	fetch?: typeof fetch;
	signal?: AbortSignal;
}

export interface Plan {
	id: string;
	/** Where the files come from, for the reader. */
	origin: string;
	/** The commit that the revision stands for now; all files are of it. */
	commit: string;
	files: WantedFile[];
	/** Bytes of all files. */
	bytes: number;
	/** What config.json holds, the one small file that is read; null when there is none (GGUF) or it cannot be had. */
	config: unknown;
}

/** Looks a model up: one commit, its files with their sizes, its config.json. Throws ModelError in words. */
export async function planOf(id: string, options: HubOptions = {}): Promise<Plan> {
	const parsed = readModelId(id);
	if (parsed.kind !== 'hub') throw new ModelError(`${id} is not on the Hugging Face Hub.`);
	const hub = (options.hub ?? HUB).replace(/\/$/, '');
	const params = { hubUrl: hub, fetch: aborting(options) };
	const found: { path: string; size: number }[] = [];
	let commit: string;
	try {
		// The commit first: the files listed are then the files fetched, whatever is pushed meanwhile.
		const info = await modelInfo({ name: parsed.repo, revision: parsed.revision, additionalFields: ['sha'], ...params });
		if (info.gated) throw new ModelError(`${parsed.repo} is closed: its owner lets only people with an account in. Choose an open model, or drop its files on the page.`);
		commit = info.sha;
		for await (const entry of listFiles({ repo: { type: 'model', name: parsed.repo }, revision: commit, recursive: true, ...params })) {
			if (entry.type === 'file') found.push({ path: entry.path, size: entry.lfs?.size ?? entry.size });
		}
	} catch (error) {
		options.signal?.throwIfAborted();
		if (error instanceof ModelError) throw error;
		throw inWords(error, parsed, hub);
	}
	const files = chooseFiles(found, parsed.repo, parsed.file).map(({ path, size }): WantedFile => ({
		path, size, url: `${hub}/${parsed.repo}/resolve/${commit}/${path.split('/').map(encodeURIComponent).join('/')}`, etag: null
	}));
	const config = await configOf(files, params.fetch);
	return { id, origin: `${hub}/${parsed.repo}`, commit, files, bytes: files.reduce((sum, { size }) => sum + size, 0), config };
}

async function configOf(files: WantedFile[], get: typeof fetch): Promise<unknown> {
	const file = files.find(({ path }) => path === 'config.json');
	return file ? get(file.url!).then((response) => (response.ok ? (response.json() as unknown) : null)).catch(() => null) : null;
}

function aborting({ fetch: own, signal }: HubOptions): typeof fetch {
	const base = own ?? ((input, init) => fetch(input, init));
	return (input, init) => base(input, { ...init, ...(signal ? { signal } : {}) });
}

function inWords(error: unknown, { repo, revision }: ModelId & { kind: 'hub' }, hub: string): ModelError {
	const status = (error as { statusCode?: number }).statusCode;
	// The hub answers 401 for what does not exist, too: it does not tell strangers what is private.
	if (status === 401 || status === 403 || status === 404) {
		return new ModelError(`${hub} has no model ${repo}${revision === 'main' ? '' : ` at ${revision}`} that is open to everybody. Check the spelling: it is ORG/NAME.`, { cause: error });
	}
	if (status) return new ModelError(`${hub} answered ${status} when asked for ${repo}. Try again in a minute.`, { cause: error });
	return new ModelError(`${hub} cannot be reached (${error instanceof Error ? error.message : String(error)}). Check the connection; models that are kept here need none.`, { cause: error });
}
