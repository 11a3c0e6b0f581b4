/** Sentences with emphasis, so that words stay apart from markup: plain text, what is strong, a token, a number. */
export type Part = string | { strong: string } | { token: string } | { num: string; strong?: boolean };

/** The text of one part. */
export function textOf(part: Part): string {
	if (typeof part === 'string') return part;
	if ('num' in part) return part.num;
	return 'token' in part ? part.token : part.strong;
}

/** The sentence without its emphasis, for summaries and tests. */
export function plain(parts: readonly Part[]): string {
	return parts.map(textOf).join('');
}
