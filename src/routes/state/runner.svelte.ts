/** Running an experiment: run, step, pause, cancel; and getting back up when the machine gives way. */
import { stepsDone } from '$lib/documents/read.ts';
import { words } from '$lib/ui/words/index.ts';
import { Engine } from './engine.svelte.ts';
import type { RunnerHost } from './host.ts';
import { endsThread, isLoss, repeated } from './losses.ts';
import { isAbort, note, sentenceOf, type Message } from './message.ts';

/** Whether an action is still the one that the reader wants. */
type Mine = () => boolean;

export class Runner {
	readonly engine: Engine;
	readonly #host: RunnerHost;
	/** The run is to go on after the present step. */
	#wanted = false;
	#generation = 0;
	/** Steps to which the run was last brought back, or is being brought; lost there again, it is given up. */
	#mendedAt: number | null = null;

	constructor(host: RunnerHost) {
		this.#host = host;
		this.engine = new Engine({
			connect: host.connect, withModel: host.withModel, show: host.show,
			lost: (error) => {
				// An open call ends with the same error, and its action mends it.
				if (this.engine.activity === 'idle') void this.#guard((mine) => this.#mend(error, mine));
			}
		});
	}

	run(): Promise<void> {
		this.#mendedAt = null;
		return this.#guard((mine) => this.#run(mine));
	}

	/** One new step. */
	step(): Promise<void> {
		this.#mendedAt = null;
		return this.#guard(async (mine) => {
			if (await this.#ready(mine)) await this.#go(mine, true);
		});
	}

	/** Lets the present step end, then stops; gives up what is not a step. */
	pause(): void {
		this.#wanted = false;
		if (['loading', 'reading', 'repeating'].includes(this.engine.activity)) this.cancel();
	}

	/** Gives up what is running now; what was drawn stays. */
	cancel(): void {
		this.#wanted = false;
		this.#generation++;
		this.engine.abort();
		this.engine.activity = 'idle';
		this.engine.progress = null;
		this.#host.say(words.running.cancelled);
	}

	/** The experiment was changed: a run does not go on by itself. */
	changed(): void {
		this.#wanted = false;
	}

	dispose(): void {
		this.#generation++;
		this.engine.drop();
	}

	async #run(mine: Mine, told: Message | null = null): Promise<void> {
		if (await this.#ready(mine, told)) await this.#go(mine, false);
	}

	async #ready(mine: Mine, told: Message | null = null): Promise<boolean> {
		const experiment = this.#host.experiment();
		const anew = this.#host.stale() || (this.#host.trace()?.done ?? false);
		if (!(await this.engine.ready(experiment, this.#host.choice(experiment.model), anew, mine))) return false;
		this.#host.tell(told);
		return true;
	}

	/** Steps until the end, a pause, or only once. */
	async #go(mine: Mine, once: boolean): Promise<void> {
		this.engine.activity = once ? 'stepping' : 'running';
		this.#wanted = !once;
		this.#host.begins();
		do {
			if (await this.engine.advance()) break;
		} while (this.#wanted && mine());
		const trace = this.#host.trace();
		if (!mine() || !trace) return;
		const steps = stepsDone(trace);
		this.#host.say(trace.done ? words.running.complete(steps) : words.running.paused(steps));
		this.#host.ended(trace);
	}

	/** Runs one action. A lost device or thread is mended and the action goes on; other failures are told, and lose nothing. */
	async #guard(action: (mine: Mine) => Promise<void>): Promise<void> {
		const generation = ++this.#generation;
		const mine = () => generation === this.#generation;
		try {
			for (let job: typeof action | null = action; job;) {
				job = await job(mine).then(() => null, (error: unknown) => {
					if (!mine() || !isLoss(error)) throw error;
					return () => this.#mend(error, mine);
				});
			}
		} catch (error) {
			if (mine() && !isAbort(error)) {
				if (endsThread(error)) this.engine.drop();
				this.#wanted = false;
				this.#host.explain(error);
			}
		} finally {
			if (mine()) {
				this.engine.activity = 'idle';
				this.engine.progress = null;
			}
		}
	}

	/** Begins again in a new thread and takes the same steps: a run is decided by its experiment, so the same numbers come. */
	async #mend(error: unknown, mine: Mine): Promise<void> {
		const { activity, live } = this.engine;
		const trace = live && activity !== 'repeating' ? this.#host.trace() : null;
		const steps = trace ? stepsDone(trace) : 0;
		const goesOn = this.#wanted;
		const why = sentenceOf(error);
		this.engine.drop();
		// Nothing was there that could be missed: the next run loads again.
		if (activity === 'idle' && !trace) return;
		// `repeat` was still on its way, or the very next step fails again.
		if (this.#mendedAt !== null && (!trace || this.#mendedAt === steps)) throw new Error(words.recovery.twice(why));
		this.#mendedAt = steps;
		this.engine.activity = 'loading';
		this.#host.tell(note(words.recovery.again(why, steps)));
		await this.#host.visible();
		if (!mine()) return;
		// A run that had not begun begins again.
		if (activity === 'loading' || activity === 'reading' || !trace) return this.#run(mine, note(words.recovery.done(why, 0)));
		const again = await this.engine.repeat(trace.experiment, this.#host.choice(trace.experiment.model), steps, mine);
		if (!again) return;
		this.#host.tell(note(repeated(why, trace, again, steps)));
		if (!again.done && !this.#host.stale() && (goesOn || activity === 'stepping')) await this.#go(mine, !goesOn);
	}
}
