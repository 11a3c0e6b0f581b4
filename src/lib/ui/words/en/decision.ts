import { percent, significant } from '../../format.ts';
import type { Part } from '../../parts.ts';
import { plural } from './grammar.ts';
import { when } from './terms.ts';

/** Whom a verdict is about, and where. */
interface Case {
	layer: number;
	head: number;
	/** The token as printed. */
	token: string;
	/** Who decided: a method's id, or `null` for a hand. */
	by: string | null;
	step: number;
}

/** A token that competed: its rank among `of`, of which `kept` stay. */
interface Ranked extends Case {
	rank: number;
	of: number;
	kept: number;
}

const where = (c: Case): string => `In layer ${c.layer}, KV head ${c.head}, `;
const who = (c: Pick<Case, 'by'>): string => c.by ?? 'a hand';
const token = (c: Case): Part => ({ strong: c.token });
const ranks = (c: Ranked): Part[] => [where(c), `${who(c)} ranks `, token(c), ' at ', { strong: `${c.rank} of ${c.of}` }, ` ${when(c.step)}`];
const places = (n: number): string => plural(Math.abs(n), 'place');
const rankAndKept = (c: Ranked): string => `${c.rank} of ${c.of} and ${c.kept} stay.`;

/** A share of attention: small ones are not nothing. */
const share = (part: number): string => (part > 0 && part < 0.0005 ? `< ${percent(0.001, 1)}` : percent(part, 1));

export const decision = {
	share,
	questions: {
		dropped: 'Why was it dropped?', went: 'Where did it go?', notRead: 'Why was it not read?',
		written: 'How was it written?', kept: 'Why was it kept?'
	},
	verdict: {
		untouched: (c: Case): Part[] => [where(c), 'no method of this arm ever considered ', token(c), '. It is in the cache because nothing competes with it.'],
		protected: (c: Case, such: number, others: number): Part[] => [
			where(c), token(c), ` is protected ${when(c.step)}: ${who(c)} keeps ${plural(such, 'such slot')} whatever the score, and ranks the other ${others}.`
		],
		/** `above`: places above the cut; null when nothing had to go. */
		kept: (c: Ranked, above: number | null): Part[] => [
			...ranks(c), `. It keeps ${c.kept}, `, 'so the token stays, ',
			...(above === null ? ['since nothing has to go.'] : above === 1 ? [{ strong: 'the last one above the cut' }, '.'] : [{ strong: places(above) }, ' above the cut.'])
		],
		keptByRule: (c: Case): Part[] => [where(c), `${who(c)} keeps `, token(c), ` ${when(c.step)} by its rule, without ranking.`],
		dropped: (c: Ranked, short: number): Part[] => [...ranks(c), `. It keeps ${c.kept}, `, 'so the token falls ', { strong: `${places(short)} short` }, '.'],
		droppedByRule: (c: Case): Part[] => [where(c), `${who(c)} drops `, token(c), ` ${when(c.step)} by its rule, without ranking.`],
		merged: (c: Case, into: { token: string; position: number } | null, weight: number | null, ranked: Ranked | null): Part[] => [
			where(c), `${who(c)} merges `, token(c), ...(into ? [' into ', { strong: into.token }, ` at position ${into.position}`] : []),
			`${weight === null ? '' : ` with weight ${significant(weight, 3)}`} ${when(c.step)}`, ranked ? `, since it ranks ${rankAndKept(ranked)}` : '.'
		],
		summarised: (c: Case, ranked: Ranked | null): Part[] => [
			where(c), `${who(c)} folds `, token(c), ` into the head’s summary ${when(c.step)}`, ranked ? `: it ranks ${rankAndKept(ranked)}` : '.'
		],
		hidden: (c: Ranked): Part[] => [...ranks(c), ` and reads ${c.kept}. It is stored, but not read.`],
		hiddenByRule: (c: Case): Part[] => [where(c), `${who(c)} does not read `, token(c), ` ${when(c.step)}. It is stored.`],
		shown: (c: Ranked): Part[] => [...ranks(c), ` and reads ${c.kept}, so this one is read.`],
		shownByRule: (c: Case): Part[] => [where(c), `${who(c)} reads `, token(c), ` ${when(c.step)}.`],
		encoded: (c: Case, numbers: string | undefined, bits: number | undefined, codec: string | undefined, others: number): Part[] => [
			where(c), `${who(c)} writes ${numbers ?? 'the numbers'} of `, token(c), ' in ', { strong: bits ? plural(bits, 'bit') : (codec ?? 'codes') },
			` ${when(c.step)}, together with ${plural(others, 'other slot')}. Nothing is dropped.`
		],
		projected: (c: Case, numbers: string | undefined, rank: number | undefined): Part[] => [
			where(c), `${who(c)} projects ${numbers ?? 'the numbers'} of `, token(c), ' onto ', { strong: `${rank ?? '?'} directions` }, ` ${when(c.step)}.`
		],
		restored: (c: Case, ranked: Ranked | null): Part[] => [
			where(c), `${who(c)} puts `, token(c), ` back ${when(c.step)}, `, { strong: 'exact' }, '. ', ranked ? `Where it was dropped it ranked ${ranked.rank} of ${ranked.of}, and ${ranked.kept} stayed.` : ''
		],
		other: (c: Case, event: string): Part[] => [where(c), event]
	},
	/** One line of the history of a slot. */
	event: {
		dropped: (by: string, step: number): string => `${by} drops it ${when(step)}`,
		received: (by: string, step: number, others: number): string => `${by} merges ${plural(others, 'other slot')} into it ${when(step)}`,
		merged: (by: string, step: number, into: number | undefined): string => `${by} merges it into position ${into} ${when(step)}`,
		encoded: (by: string, step: number, numbers: string | undefined, bits: number | undefined, codec: string | undefined): string =>
			`${by} writes ${numbers} ${bits ? `in ${plural(bits, 'bit')}` : `as ${codec ?? 'codes'}`} ${when(step)}`,
		projected: (by: string, step: number, numbers: string | undefined, rank: number | undefined): string => `${by} projects ${numbers} onto rank ${rank} ${when(step)}`,
		hidden: (by: string, step: number): string => `${by} does not read it ${when(step)}`,
		shown: (by: string, step: number): string => `${by} reads it ${when(step)}`,
		summarised: (by: string, step: number): string => `${by} folds it into the summary ${when(step)}`,
		restored: (by: string, step: number): string => `${by} puts it back ${when(step)}`,
		other: (by: string, step: number, verb: string): string => `${by}: ${verb} ${when(step)}`
	},
	neighbours: (last: { position: number; score: number }, out: { position: number; score: number }): string =>
		`The last one kept is position ${last.position} with ${significant(last.score)}; the first one out is position ${out.position} with ${significant(out.score)}.`,
	choose: 'Choose a token in the text or a cell in the map, and its reasons stand here: the terms of its score, its rank, the cut.',
	notWritten: (position: number): string => `Position ${position} is not yet written at this step. Move the playhead on, or choose an earlier token.`,
	competitors: (n: number): string => `All ${n} that compete, ranked; the cut is where the budget ends`,
	history: 'What happened to this slot',
	terms: {
		heading: (meaning: string): string => `Its score: ${meaning}`,
		atCut: (value: number): string => `at the cut ${significant(value, 3)}`
	},
	ladder: {
		label: 'Candidates by rank',
		rung: (rank: number, name: string, score: number, kept: boolean): string => `rank ${rank}, ${name}, score ${significant(score)}, ${kept ? 'kept' : 'not kept'}`,
		hint: 'arrow keys move along the ranks',
		cut: (kept: number, score: number): string => `cut after ${kept}: ${significant(score)}`,
		lastKept: (name: string): string => `last kept ${name}`,
		firstOut: (name: string, score: number): string => `first out ${name}, ${significant(score)}`,
		ranked: (name: string, rank: number, score: number): string => `${name} rank ${rank} ${significant(score)}`,
		across: 'rank, best first',
		height: (root: boolean): string => `height: score${root ? ', root scale' : ''}`
	},
	since: {
		what: 'what attention this token received',
		heading: (gone: boolean): string => (gone ? 'What attention it would have received since' : 'What attention it received'),
		says: (gone: boolean, mean: number, most: { step: number; share: number } | null, steps: number): string => {
			if (!most) return gone ? 'It went in the last step: nothing was read since.' : 'No step has read it yet.';
			const full = gone ? 'would have given it' : 'gives it';
			return `At the same words the full cache ${full} ${share(mean)} of this head’s attention a step, over ${plural(steps, 'step')}; most at step ${most.step + 1}, ${share(most.share)}.`;
		},
		axis: (letter: string): string => `step; outline: full cache, filled: arm ${letter}; mean of the query heads`
	},
	heads: {
		heading: (gone: number, of: number): string => (gone === 0 ? `All ${of} heads can read it` : gone === of ? `None of the ${of} heads can read it` : `${gone} of ${of} heads cannot read it`),
		about: 'Rank among those that compete, and the share of a head’s attention that the full cache gave the token a step: since it went (outline), or since the prompt (filled). Choose a head to see its reasons.',
		aboutRanks: 'Rank among those that compete. Choose a head to see its reasons.',
		table: 'Table: this token in every head',
		caption: (step: number): string => `The token in every head; attention of the full cache up to step ${step + 1}, mean of the query heads`,
		columns: ['layer', 'KV head', 'state', 'rank', 'of', 'score', 'cut', 'last kept', 'first out', 'when', 'attention a step since', 'most', 'at step'],
		cell: (layer: number, head: number, state: string, own: { rank: number; of: number; score: number } | null, since: { mean: number; gone: boolean } | null): string =>
			`layer ${layer}, KV head ${head}: ${state}${own ? `, rank ${own.rank} of ${own.of}, score ${significant(own.score)}` : ''}`
			+ (since ? `, ${since.gone ? 'would have received' : 'received in the full cache'} ${share(since.mean)} of the attention` : '')
	},
	table: {
		caption: (layer: number, head: number, meaning: string | undefined): string => `Candidates in layer ${layer}, KV head ${head}, best first. Score: ${meaning ?? 'none'}`,
		columns: ['rank', 'position', 'token', 'score', 'kept']
	}
};
