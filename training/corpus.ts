// Prints what the tokenizer is made from, as one JSON object:
// node scripts/run-ts.mjs training/corpus.ts > corpus.json
import { makeDocument, KINDS } from '$lib/lab/tasks/documents.ts';
import { SPLIT, split } from '$lib/lab/tasks/split.ts';
import { ALL_WORDS, FORMS, PEOPLE, capital } from '$lib/lab/tasks/world.ts';
import { CHAT, INTRODUCE, NOTED, PADS } from '$lib/lab/tasks/talk.ts';
import { ARCS } from '$lib/lab/tasks/story.ts';
import { random } from '$lib/numerics/random.ts';

export function main(): void {
	const rng = random('tokenizer');
	const counts = new Map<string, number>();
	const text: string[] = [];
	const kinds = KINDS.filter((kind) => kind !== 'ids' && kind !== 'copy');
	for (let i = 0; i < 4000; i++) {
		const pieces = makeDocument(rng.pick(kinds), rng, 300, (t) => split(t).length);
		text.push(pieces.map((piece) => piece.text).join(''));
	}
	// Every wording that the templates hold, though chance may not have drawn it.
	text.push(...CHAT.flat(), ...NOTED, ...INTRODUCE, ...PADS, ...ARCS.flatMap((arc) => arc.beats.flat()));
	for (const piece of text.flatMap(split)) counts.set(piece, (counts.get(piece) ?? 0) + 1);
	const words = new Set([...ALL_WORDS.map((word) => ` ${word}`), ...PEOPLE]);
	// Small words open sentences, after a space, a quotation mark or a new line.
	for (const word of FORMS.slice(0, FORMS.indexOf('four')).map(capital)) words.add(word).add(` ${word}`);
	for (const [piece, count] of counts) if (/^ ?[A-Za-z]{2,}$/.test(piece) && count >= 2) words.add(piece);
	process.stdout.write(JSON.stringify({ pattern: SPLIT, words: [...words], text: text.slice(0, 1500).join('\n') }));
}
