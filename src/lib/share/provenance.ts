import type { Trace } from '$lib/documents/trace.ts';

/** How a number came about, in the words of the page. */
export const PROVENANCE_WORDS: Record<Trace['provenance'], string> = { measured: 'measured here', recorded: 'recorded' };
