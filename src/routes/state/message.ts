/** What the page tells the reader: a sentence and next actions. */
import type { FailureKind } from '$lib/worker/failures.ts';
import { words } from '$lib/ui/words/index.ts';

export interface Message {
	kind: 'problem' | 'note';
	text: string;
	/** Next actions, by name of what the page can do. */
	actions: Action[];
}

export interface Action {
	text: string;
	run: () => void;
}

export const note = (text: string, ...actions: Action[]): Message => ({ kind: 'note', text, actions });
export const problem = (text: string, ...actions: Action[]): Message => ({ kind: 'problem', text, actions });

export function failureKind(error: unknown): FailureKind {
	return (error as { kind?: FailureKind }).kind ?? 'other';
}

/** The sentence of an error; errors of libraries may lack their full stop. */
export function sentenceOf(error: unknown): string {
	const text = error instanceof Error && error.message ? error.message : words.running.nameless;
	return text.replace(/[^.!?]$/, '$&.');
}

export function isAbort(error: unknown): boolean {
	return error instanceof DOMException && error.name === 'AbortError';
}
