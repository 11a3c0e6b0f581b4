/** Sentences with emphasis: plain strings and strong ones, so that words stay apart from markup. */
export type Part = string | { strong: string };

/** The sentence without its emphasis, for summaries and tests. */
export function plain(parts: readonly Part[]): string {
	return parts.map((part) => (typeof part === 'string' ? part : part.strong)).join('');
}
