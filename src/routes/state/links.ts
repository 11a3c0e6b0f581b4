/** Experiments in addresses: what a link opens, and what is said about it. */
import type { Experiment } from '$lib/documents/experiment.ts';
import type { Trace } from '$lib/documents/trace.ts';
import { compareFingerprint, fingerprint } from '$lib/share/fingerprint.ts';
import { decodeLink, encodeLink, isLink, LinkError } from '$lib/share/link.ts';
import type { Selection } from '$lib/ui/selection.svelte.ts';
import { words } from '$lib/ui/words/index.ts';
import { note, type Message } from './message.ts';

export type Opened =
	| { experiment: Experiment; selection: unknown; author: string | undefined; notices: string[] }
	| { broken: string };

/** What an address carries; null when it carries no experiment. */
export function openHash(hash: string): Opened | null {
	if (!isLink(hash)) return null;
	try {
		const { experiment, notices, fingerprint: author } = decodeLink(hash);
		const { view, ...rest } = experiment;
		return { experiment: rest as Experiment, selection: (view as { selection?: unknown } | undefined)?.selection, author, notices };
	} catch (error) {
		if (!(error instanceof LinkError)) throw error;
		return { broken: words.opened.broken(error.message) };
	}
}

/** The hash that brings everything back: experiment, selection, and the mark of the author's numbers. */
export function hashOf(experiment: Experiment, selection: Selection, maximized: string | null, trace: Trace | null): string {
	const selected = selection.toJSON();
	const view = { ...(Object.keys(selected).length ? { selection: selected } : {}), ...(maximized ? { maximized } : {}) };
	const mark = trace?.reference.steps.length ? fingerprint(trace.reference) : undefined;
	return encodeLink(Object.keys(view).length ? { ...experiment, view } : experiment, mark);
}

/** Whether the numbers are those of the link's author; null when that cannot be told. */
export function likeness(trace: Trace, author: string | undefined): Message | null {
	const found = author ? compareFingerprint(trace.reference, author) : null;
	if (!found) return null;
	return note(found.same ? words.running.sameNumbers : words.running.otherNumbers(found.step + 1));
}
