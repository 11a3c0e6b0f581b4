/** The names that an experiment may give a model. */
import { ModelError } from '$lib/model/error.ts';

/** Where models are looked up unless another address is set. */
export const HUB = 'https://huggingface.co';

export type ModelId =
	/** Part of the site, under models/. */
	| { kind: 'site'; name: string }
	/** A repository of the Hugging Face Hub; `file` where it holds several models (GGUF). */
	| { kind: 'hub'; repo: string; revision: string; file: string | null }
	/** Files that somebody dropped on the page. */
	| { kind: 'dropped'; name: string }
	/** A folder, or a file in it: the command line. */
	| { kind: 'path'; place: string };

const HUB_ID = /^hf:([\w.-]+\/[\w.-]+)(?:@([\w./-]+))?(?:#([\w./-]+))?$/;

/** `nano`, `hf:ORG/NAME[@REVISION][#FILE]`, `file:NAME` or `path:DIR`. Throws ModelError for anything else. */
export function readModelId(id: string): ModelId {
	if (id.startsWith('path:') && id.length > 5) return { kind: 'path', place: id.slice(5) };
	if (id.startsWith('file:') && id.length > 5) return { kind: 'dropped', name: id.slice(5) };
	const hub = HUB_ID.exec(id);
	if (hub) return { kind: 'hub', repo: hub[1], revision: hub[2] ?? 'main', file: hub[3] ?? null };
	if (/^[\w-][\w.-]*$/.test(id)) return { kind: 'site', name: id };
	throw new ModelError(`"${id}" is no model: expected the id of an embedded model, hf:ORG/NAME, file:NAME or path:DIR.`);
}

/** What a reader types or pastes for a repository: its name, its page's address, or an id. null when it is none of these. */
export function hubIdFrom(text: string): string | null {
	const bare = text.trim().replace(/^https?:\/\/[^/]+\//, '').replace(/^hf:/, '').replace(/\/+$/, '');
	const page = /^([\w.-]+\/[\w.-]+)\/(?:tree|blob|resolve)\/([\w.-]+)(?:\/([\w./-]+))?$/.exec(bare);
	const id = page ? `hf:${page[1]}${page[2] === 'main' ? '' : `@${page[2]}`}${page[3]?.endsWith('.gguf') ? `#${page[3]}` : ''}` : `hf:${bare}`;
	return HUB_ID.test(id) ? id : null;
}

/** A short name for the page: the repository's or file's own name. */
export function modelName(id: string): string {
	const hub = HUB_ID.exec(id);
	if (hub) return (hub[3] ?? hub[1]).split('/').pop()!.replace(/\.gguf$/i, '');
	return id.replace(/^(file|path):/, '').split(/[\\/]/).pop() || id;
}
