/** The verdict in words: which sentence fits, with the record's own numbers. */
import type { VerbRecord } from '$lib/documents/trace.ts';
import { visibleToken } from '$lib/ui/format.ts';
import type { Part } from '$lib/ui/parts.ts';
import { words } from '$lib/ui/words/index.ts';
import type { Verdict } from './geometry.ts';

export interface Place {
	token: string;
	position: number;
	layer: number;
	head: number;
	/** Text of any position, for the tokens named beside. */
	textAt: (position: number) => string;
}

/** A heading that fits the fate: the picture's question. */
export function question(v: Verdict): string {
	const ask = words.decision.questions;
	switch (v.fate) {
		case 'evicted': return ask.dropped;
		case 'merged': case 'summarised': return ask.went;
		case 'hidden': return ask.notRead;
		case 'encoded': case 'projected': return ask.written;
		default: return ask.kept;
	}
}

/** One or two sentences, present tense. */
export function verdictSentence(v: Verdict, place: Place): Part[] {
	const say = words.decision.verdict;
	const { record } = v;
	const about = { layer: place.layer, head: place.head, token: visibleToken(place.token), by: record && record.by !== 'hand' ? record.by : null, step: record?.step ?? -1 };
	if (!record) return say.untouched(about);
	const ranked = v.own && { ...about, rank: v.own.rank, of: v.ladder.length, kept: v.kept };
	switch (v.fate) {
		case 'protected': return say.protected(about, v.protectedCount, v.ladder.length);
		case 'kept': return ranked ? say.kept(ranked, v.runnerUp ? v.places : null) : say.keptByRule(about);
		case 'evicted': return ranked ? say.dropped(ranked, v.places) : say.droppedByRule(about);
		case 'merged': {
			const i = record.positions.indexOf(place.position);
			const into = record.into === undefined ? null : { token: visibleToken(place.textAt(record.into)), position: record.into };
			return say.merged(about, into, record.weights && i >= 0 ? record.weights[i] : null, ranked);
		}
		case 'summarised': return say.summarised(about, ranked);
		case 'restored': return say.restored(about, ranked);
		case 'hidden': return ranked ? say.hidden(ranked) : say.hiddenByRule(about);
		case 'shown': return ranked ? say.shown(ranked) : say.shownByRule(about);
		case 'encoded': return say.encoded(about, record.which, record.bits, record.codec, record.positions.length - 1);
		case 'projected': return say.projected(about, record.which, record.rank);
		default: return say.other(about, event(record, place));
	}
}

/** One line of the history of a slot. */
export function event(record: VerbRecord, place: Place): string {
	const say = words.decision.event;
	const { by, step } = record;
	switch (record.verb) {
		case 'keep': case 'evict': return say.dropped(by, step);
		case 'merge': return record.into === place.position ? say.received(by, step, record.positions.length) : say.merged(by, step, record.into);
		case 'encode': return say.encoded(by, step, record.which, record.bits, record.codec);
		case 'project': return say.projected(by, step, record.which, record.rank);
		case 'hide': return say.hidden(by, step);
		case 'show': return say.shown(by, step);
		case 'summarise': return say.summarised(by, step);
		case 'restore': return say.restored(by, step);
		default: return say.other(by, step, record.verb);
	}
}
