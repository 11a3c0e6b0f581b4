/**
 * Where the tokenizer splits text before it looks for tokens, the same pattern as in tokenizer.json:
 * a word with the space before it, a number below 100 that stands alone, else one digit, one sign.
 */
export const SPLIT = ' ?[A-Za-z]+| ?(?<![0-9])[0-9]{1,2}(?![0-9])| ?[0-9]|\\n| ?[^ A-Za-z0-9\\n]| ';

export const split = (text: string): string[] => text.match(new RegExp(SPLIT, 'gu')) ?? [];

/** Tokens of text piece by piece, each piece looked up once. `slow` is the tokenizer itself. */
export function memoized(slow: (piece: string) => number[]): (text: string) => number[] {
	const pieces = new Map<string, number[]>();
	const pattern = new RegExp(SPLIT, 'gu');
	return (text) => {
		const ids: number[] = [];
		for (const piece of text.match(pattern) ?? []) {
			let known = pieces.get(piece);
			if (!known) pieces.set(piece, (known = slow(piece)));
			for (const id of known) ids.push(id);
		}
		return ids;
	};
}
