/**
 * One reader's walk through a lesson: the stage, the discs, the hands, and the run behind them. The
 * rules of the walk are place.ts; the address follows every change.
 */
import type { Trace } from '$lib/documents/trace.ts';
import { STAGES, type Lesson, type Outcome, type StageId } from './lesson.ts';
import { fromHash, furthest, move, start, toHash, type Place } from './place.ts';
import { LessonRun, type RunOptions } from './run.svelte.ts';

export class Walk {
	readonly lesson: Lesson;
	readonly run: LessonRun;
	readonly #replaceHash: (hash: string) => void;
	place = $state.raw() as Place;
	committed = $state(false);
	/** What in the address was not understood. */
	notices = $state.raw<string[]>([]);
	/** The page's address; empty before the page is in a browser. */
	address = $state('');

	constructor(lesson: Lesson, options: RunOptions, replaceHash: (hash: string) => void) {
		this.lesson = lesson;
		this.run = new LessonRun(lesson, options);
		this.#replaceHash = replaceHash;
		this.place = start(lesson);
	}

	/** Index of the stage. */
	get at(): number { return STAGES.indexOf(this.place.stage); }
	/** The answer may be seen. */
	get open(): boolean { return this.at >= STAGES.indexOf('reveal'); }
	get measured(): boolean { return this.run.status === 'done'; }
	get limit(): StageId { return furthest(this.place, this.committed, this.measured); }
	get provenance(): 'measured' | 'recorded' { return this.run.source?.trace.provenance ?? 'measured'; }
	/** The run, once it may be seen: before that it is nowhere in the page. */
	get trace(): Trace | null { return this.open ? (this.run.source?.trace ?? null) : null; }
	#outcome = $derived.by(() => (this.trace ? this.lesson.outcome(this.trace) : null));
	get outcome(): Outcome | null { return this.#outcome; }
	get counted(): boolean { return this.place.hands.some((n) => n > 0); }

	go(stage: StageId): void {
		if (stage !== this.place.stage) this.#set({ stage });
	}
	guess(choice: number, value: number): void {
		this.committed = false;
		this.#set({ guess: this.place.guess.map((old, i) => (i === choice ? value : old)) });
	}
	hand(choice: number, by: number): void {
		this.#set({ hands: this.place.hands.map((old, i) => (i === choice ? Math.max(0, old + by) : old)) });
	}
	commit(): void {
		this.committed = true;
		if (!this.measured) void this.run.live();
	}
	next(): void {
		if (this.place.stage === 'commit' && !this.committed) this.commit();
		else this.go(move(this.place.stage, 1, this.limit));
	}
	back(): void {
		this.go(move(this.place.stage, -1, this.limit));
	}
	/** Back to the discs, which may move again. */
	change(): void {
		this.committed = false;
		this.go('predict');
	}

	/** Takes the address as it is, unless it is the walk's own. */
	read(): void {
		if (this.address !== '' && location.hash === toHash(this.place)) return;
		const found = fromHash(this.lesson, location.hash);
		this.place = found.place;
		this.notices = found.notices;
		this.address = location.href;
		// A link to a later stage carries a prediction: it has been committed.
		if (this.open) this.commit();
	}

	#set(change: Partial<Place>): void {
		this.place = { ...this.place, ...change };
		this.#replaceHash(toHash(this.place));
		this.address = location.href;
	}
}
