/** The verdict in words: who decided, at which rank, and by how far. */
import type { VerbRecord } from '$lib/documents/trace.ts';
import { plural, significant, stepName, visibleToken } from '$lib/ui/format.ts';
import type { Part } from '$lib/ui/parts.ts';
import type { Verdict } from './geometry.ts';

export interface Place {
	token: string;
	position: number;
	layer: number;
	head: number;
	/** Text of any position, for the tokens named beside. */
	textAt: (position: number) => string;
}

const when = (step: number) => (step < 0 ? 'after the prompt' : `at step ${stepName(step)}`);
const places = (n: number) => plural(Math.abs(n), 'place');

/** A heading that fits the fate: the picture's question. */
export function question(v: Verdict): string {
	switch (v.fate) {
		case 'evicted': return 'Why was it dropped?';
		case 'merged': return 'Where did it go?';
		case 'summarised': return 'Where did it go?';
		case 'hidden': return 'Why was it not read?';
		case 'encoded': case 'projected': return 'How was it written?';
		default: return 'Why was it kept?';
	}
}

/** One or two sentences, present tense; the numbers in them are the record's own. */
export function verdictSentence(v: Verdict, place: Place): Part[] {
	const token = { strong: `${visibleToken(place.token)}` };
	const where = `In layer ${place.layer}, KV head ${place.head}, `;
	const { record } = v;
	if (!record) return [where, 'no method of this arm ever considered ', token, '. It is in the cache because nothing competes with it.'];
	const by = record.by === 'hand' ? 'a hand' : record.by;
	const ranked: Part[] = v.own
		? [`${by} ranks `, token, ' at ', { strong: `${v.own.rank} of ${v.ladder.length}` }, ` ${when(record.step)}. It keeps ${v.kept}, `]
		: [];
	switch (v.fate) {
		case 'protected':
			return [where, token, ` is protected ${when(record.step)}: ${by} keeps ${plural(v.protectedCount, 'such slot')} whatever the score, and ranks the other ${v.ladder.length}.`];
		case 'kept':
			if (v.own) return [where, ...ranked, 'so the token stays, ', ...margin(v)];
			return [where, `${by} keeps `, token, ` ${when(record.step)} by its rule, without ranking.`];
		case 'evicted':
			if (v.own) return [where, ...ranked, 'so the token falls ', { strong: `${places(v.places)} short` }, '.'];
			return [where, `${by} drops `, token, ` ${when(record.step)} by its rule, without ranking.`];
		case 'merged': {
			const i = record.positions.indexOf(place.position);
			const weight = record.weights && i >= 0 ? ` with weight ${significant(record.weights[i], 3)}` : '';
			const into: Part[] = record.into === undefined ? [] : [' into ', { strong: `${visibleToken(place.textAt(record.into))}` }, ` at position ${record.into}`];
			return [where, `${by} merges `, token, ...into, `${weight} ${when(record.step)}`, ...(v.own ? [`, since it ranks ${v.own.rank} of ${v.ladder.length} and ${v.kept} stay.`] : ['.'])];
		}
		case 'summarised':
			return [where, `${by} folds `, token, ` into the head’s summary ${when(record.step)}`, ...(v.own ? [`: it ranks ${v.own.rank} of ${v.ladder.length} and ${v.kept} stay.`] : ['.'])];
		case 'hidden':
			if (v.own) return [where, `${by} ranks `, token, ' at ', { strong: `${v.own.rank} of ${v.ladder.length}` }, ` ${when(record.step)} and reads ${v.kept}. It is stored, but not read.`];
			return [where, `${by} does not read `, token, ` ${when(record.step)}. It is stored.`];
		case 'shown':
			if (v.own) return [where, `${by} ranks `, token, ' at ', { strong: `${v.own.rank} of ${v.ladder.length}` }, ` ${when(record.step)} and reads ${v.kept}, so this one is read.`];
			return [where, `${by} reads `, token, ` ${when(record.step)}.`];
		case 'encoded':
			return [where, `${by} writes ${record.which ?? 'the numbers'} of `, token, ' in ', { strong: record.bits ? plural(record.bits, 'bit') : (record.codec ?? 'codes') }, ` ${when(record.step)}, together with ${plural(record.positions.length - 1, 'other slot')}. Nothing is dropped.`];
		case 'projected':
			return [where, `${by} projects ${record.which ?? 'the numbers'} of `, token, ' onto ', { strong: `${record.rank ?? '?'} directions` }, ` ${when(record.step)}.`];
		default:
			return [where, event(record, place)];
	}
}

function margin(v: Verdict): Part[] {
	if (!v.runnerUp) return ['since nothing has to go.'];
	return v.places === 1 ? [{ strong: 'the last one above the cut' }, '.'] : [{ strong: places(v.places) }, ' above the cut.'];
}

/** One line of the history of a slot. */
export function event(record: VerbRecord, place: Place): string {
	const by = record.by;
	switch (record.verb) {
		case 'keep': case 'evict': return `${by} drops it ${when(record.step)}`;
		case 'merge': return record.into === place.position ? `${by} merges ${plural(record.positions.length, 'other slot')} into it ${when(record.step)}` : `${by} merges it into position ${record.into} ${when(record.step)}`;
		case 'encode': return `${by} writes ${record.which} ${record.bits ? `in ${plural(record.bits, 'bit')}` : `as ${record.codec ?? 'codes'}`} ${when(record.step)}`;
		case 'project': return `${by} projects ${record.which} onto rank ${record.rank} ${when(record.step)}`;
		case 'hide': return `${by} does not read it ${when(record.step)}`;
		case 'show': return `${by} reads it ${when(record.step)}`;
		case 'summarise': return `${by} folds it into the summary ${when(record.step)}`;
		default: return `${by}: ${record.verb} ${when(record.step)}`;
	}
}
