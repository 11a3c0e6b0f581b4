/** Stories, with what every name, pronoun and thing goes back to. */
import type { Random } from '$lib/numerics/random.ts';
import { WEIGHT, type Piece, type Writer } from '../pieces.ts';
import { opening, tellParts, type StoryPart } from '../story.ts';

/** Whom a pronoun or `girl` means, and the word that says which names fit. */
const MEANT: Record<string, string> = {
	he: 'H', his: 'H', him: 'H', He: 'H', His: 'H', girl: 'H', fe: 'F', fis: 'F', fim: 'F', Fe: 'F', Fis: 'F', fgirl: 'F'
};
const FITS: Record<string, string> = { H: 'girl', F: 'fgirl' };

/** Writes one sentence; `said` holds the piece that first filled each slot. */
function write(out: Writer, parts: readonly StoryPart[], said: Map<string, Piece>): void {
	for (const [i, { text, slot = '' }] of parts.entries()) {
		const full = i === 0 ? out.gap() + text : text;
		const before = said.get(slot);
		const who = MEANT[slot];
		if (before?.text.trim() === text.trim()) out.add(full, WEIGHT.person, before);
		else if (who && said.has(who)) out.add(full, WEIGHT.person, undefined, said.get(who));
		else if (who && said.has(FITS[who])) out.add(full, WEIGHT.person, undefined, said.get(FITS[who]));
		// A new adventure fills the same slots anew.
		else if (slot) said.set(slot, out.add(full, WEIGHT.story, undefined, said.get(FITS[slot])));
		else out.add(full, WEIGHT.story);
	}
}

export function storyDocument(rng: Random, out: Writer): void {
	const next = tellParts(rng);
	const said = new Map<string, Piece>();
	while (out.left > 0) write(out, next(), said);
}

/**
 * Beginnings of stories, one a line: whole stories hold too few names to teach which are girls' and which boys'.
 * The heading keeps them apart from stories, or a story would soon begin anew.
 */
export function openingsDocument(rng: Random, out: Writer): void {
	out.add('Who:', WEIGHT.mark);
	out.add('\n', WEIGHT.mark);
	while (out.left > 0) {
		const said = new Map<string, Piece>();
		for (const sentence of opening(rng)) write(out, sentence, said);
		out.add('\n', WEIGHT.mark);
	}
}
