/** Where a reader stands in a lesson, as an address and as legal moves. Pure. */
import { words } from '$lib/ui/words/index.ts';
import { STAGES, type Guess, type Lesson, type StageId } from './lesson.ts';

export interface Place {
	stage: StageId;
	guess: Guess;
	/** Hands counted in the class, one a choice. */
	hands: number[];
}

export function start(lesson: Lesson): Place {
	return { stage: 'predict', guess: lesson.choices.map(() => null), hands: lesson.choices.map(() => 0) };
}

export function placed(place: Place): boolean {
	return place.guess.every((value) => value !== null) || place.hands.some((count) => count > 0);
}

/** The furthest stage that may be entered: nothing is revealed before a prediction is committed. */
export function furthest(place: Place, committed: boolean, measured: boolean): StageId {
	if (!placed(place)) return 'predict';
	return committed && measured ? 'explain' : 'commit';
}

/** The stage `by` steps on, within what is allowed. */
export function move(stage: StageId, by: number, limit: StageId): StageId {
	const to = Math.max(0, Math.min(STAGES.indexOf(limit), STAGES.indexOf(stage) + by));
	return STAGES[to];
}

/** The part of the address after `#`; empty at the start. */
export function toHash(place: Place): string {
	const parts: string[] = [];
	if (place.stage !== 'predict') parts.push(`stage=${place.stage}`);
	if (place.guess.some((value) => value !== null)) parts.push(`guess=${place.guess.map((value) => value ?? '-').join('.')}`);
	if (place.hands.some((count) => count > 0)) parts.push(`hands=${place.hands.join('.')}`);
	return parts.length ? `#${parts.join('&')}` : '';
}

const MAX_HANDS = 500;

/**
 * Reads an address. What is not understood is left out and told in `notices`. A stage behind the
 * curtain without a prediction falls back to the prediction.
 */
export function fromHash(lesson: Lesson, hash: string): { place: Place; notices: string[] } {
	const place = start(lesson);
	const notices: string[] = [];
	const say = words.lessons.link;
	const text = hash.replace(/^#/, '');
	if (text === '' || text === 'content') return { place, notices };
	for (const part of text.split('&')) {
		const [key, value = ''] = part.split('=');
		if (key === 'guess') {
			const numbers = value.split('.').map((v) => (v === '-' ? null : Number(v)));
			const fits = numbers.length === place.guess.length && numbers.every((n) => n === null || (Number.isInteger(n) && n >= 0 && n <= lesson.axis.max));
			if (fits) place.guess = numbers;
			else notices.push(say.guess);
		} else if (key === 'hands') {
			const numbers = value.split('.').map(Number);
			if (numbers.length === place.hands.length && numbers.every((n) => Number.isInteger(n) && n >= 0 && n <= MAX_HANDS)) place.hands = numbers;
			else notices.push(say.hands);
		} else if (key === 'stage') {
			const stage = STAGES.find((id) => id === value);
			if (stage) place.stage = stage;
			else notices.push(say.stage(value.slice(0, 20)));
		} else notices.push(say.unknown(key.slice(0, 20)));
	}
	if (place.stage !== 'predict' && !placed(place)) {
		place.stage = 'predict';
		notices.push(say.first);
	}
	return { place, notices };
}
