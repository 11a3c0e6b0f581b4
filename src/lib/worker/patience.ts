/**
 * Time without a sign of life, told apart from time in which this page itself stood still: a hidden
 * tab may be frozen for minutes, and then nobody was silent. So the wait is counted in ticks, and a
 * late tick counts as one.
 */
const TICKS = 20;

export class Patience {
	readonly #ms: number;
	readonly #end: () => void;
	#ticks = 0;
	#timer: ReturnType<typeof setTimeout> | undefined;

	/** Calls `end` once, after `ms` milliseconds without `alive()`. */
	constructor(ms: number, end: () => void) {
		this.#ms = ms;
		this.#end = end;
		this.#wait();
	}

	alive(): void {
		this.#ticks = 0;
	}

	stop(): void {
		clearTimeout(this.#timer);
	}

	#wait(): void {
		this.#timer = setTimeout(() => {
			if (++this.#ticks >= TICKS) this.#end();
			else this.#wait();
		}, this.#ms / TICKS);
	}
}
