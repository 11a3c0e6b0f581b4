/** Plain colouring of TypeScript: comments, strings and keywords; good enough to read by, no parser. */
export interface Piece {
	kind: 'plain' | 'comment' | 'string' | 'keyword';
	text: string;
}

const PARTS = new RegExp(
	[
		String.raw`(?<comment>//[^\n]*|/\*[\s\S]*?\*/)`,
		String.raw`(?<string>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|${'`'}(?:[^${'`'}\\]|\\.)*${'`'})`,
		String.raw`(?<keyword>(?<![.\w])(?:as|break|case|const|continue|default|else|export|false|for|from|function|if|import|in|interface|let|new|null|of|return|switch|throw|true|type|typeof|undefined|while)\b)`
	].join('|'),
	'g'
);

/** The pieces of a source text in order; joined they are the text. */
export function colour(source: string): Piece[] {
	const pieces: Piece[] = [];
	let at = 0;
	for (const match of source.matchAll(PARTS)) {
		if (match.index > at) pieces.push({ kind: 'plain', text: source.slice(at, match.index) });
		const { comment, string } = match.groups!;
		pieces.push({ kind: comment !== undefined ? 'comment' : string !== undefined ? 'string' : 'keyword', text: match[0] });
		at = match.index + match[0].length;
	}
	if (at < source.length) pieces.push({ kind: 'plain', text: source.slice(at) });
	return pieces;
}
