/**
 * An experiment as a link: `#w1.` and the deflated JSON of the document without defaults, base64url.
 * The number belongs to the packing; the document inside has a version of its own.
 */
import { deflateSync, inflateSync } from 'fflate';
import type { Experiment } from '$lib/documents/experiment.ts';
import { base64, unbase64 } from '$lib/documents/recording.ts';
import { DocumentError, parseExperiment, strip } from '$lib/documents/schema.ts';

export const LINK_PREFIX = '#w1.';
/** Longer than any link that a page makes; keeps a hostile one from filling the memory. */
const MAX_LINK = 200_000;
const MAX_JSON = 2_000_000;

/** Why a link cannot be opened, as a sentence for the reader. */
export class LinkError extends Error {
	override name = 'LinkError';
}

/** The part of the address after (and with) `#`. The fingerprint travels beside the document. */
export function encodeLink(experiment: Experiment, fingerprint?: string): string {
	const json = JSON.stringify(strip(experiment));
	const packed = base64(deflateSync(new TextEncoder().encode(json), { level: 9 }));
	const url = packed.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
	return LINK_PREFIX + url + (fingerprint ? `.${fingerprint}` : '');
}

/** Does this hash claim to be an experiment (of any version)? Other hashes are anchors of the page. */
export function isLink(hash: string): boolean {
	return /^#?w\d+\./.test(hash);
}

/**
 * Opens a link. What this version does not know is left out and reported in `notices`; anything
 * else that is wrong throws LinkError with a plain sentence.
 */
export function decodeLink(hash: string): { experiment: Experiment; notices: string[]; fingerprint?: string } {
	const text = hash.startsWith('#') ? hash : `#${hash}`;
	const version = /^#w(\d+)\./.exec(text);
	if (!version) throw new LinkError('This address carries no experiment: it does not begin with #w1.');
	if (version[1] !== '1') {
		throw new LinkError(`This link was made by a newer Winnow (link version ${version[1]}; this page reads version 1).`);
	}
	if (text.length > MAX_LINK) throw new LinkError('This link is too long to be an experiment.');
	const [body, fingerprint] = text.slice(LINK_PREFIX.length).split('.', 2);
	if (!body) throw new LinkError('This link is empty after #w1. It was probably cut off when it was copied.');
	if (!/^[A-Za-z0-9_-]+$/.test(body)) {
		throw new LinkError('This link is garbled: it contains characters that no link has. Copy it again from where it came from.');
	}
	let json: string;
	try {
		const bytes = unbase64(body.replaceAll('-', '+').replaceAll('_', '/'));
		json = new TextDecoder('utf-8', { fatal: true }).decode(inflateLimited(bytes));
	} catch (error) {
		if (error instanceof LinkError) throw error;
		throw new LinkError('This link is cut off or garbled and cannot be unpacked. Copy the whole of it again.', { cause: error });
	}
	let document: unknown;
	try {
		document = JSON.parse(json);
	} catch (error) {
		throw new LinkError('This link is cut off: the experiment in it ends too early. Copy the whole of it again.', { cause: error });
	}
	try {
		return { ...parseExperiment(document, { unknown: 'notice' }), ...(fingerprint ? { fingerprint } : {}) };
	} catch (error) {
		if (!(error instanceof DocumentError)) throw error;
		throw new LinkError(`The experiment in this link is wrong at ${error.message}.`, { cause: error });
	}
}

function inflateLimited(bytes: Uint8Array): Uint8Array {
	// With a buffer of fixed size the inflater refuses to grow.
	const out = new Uint8Array(MAX_JSON);
	const result = inflateSync(bytes, { out });
	if (result.length >= MAX_JSON) throw new LinkError('This link unpacks to more than an experiment can be.');
	return result;
}
