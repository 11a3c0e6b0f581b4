/** What figures share with their page: which of them fills it, and where their numbers come from. */
import { createContext } from 'svelte';

/** Where the numbers of the pictures come from, for files that leave the page. */
export interface Origin {
	/** A sentence: how and on what they came about. No date. */
	provenance: string;
	/** Address that opens the experiment. */
	link: string;
}

/** Key of a figure by its number: 10 has that of 0. */
export const figureKey = (number: string): string => number.at(-1) ?? '';

export class Frame {
	/** The origin of what is drawn now; null when nothing is. */
	readonly origin: () => Origin | null;
	/** Number of the figure that is maximized. */
	maximized = $state<string | null>(null);
	#figures: string[] = [];

	constructor(origin: () => Origin | null = () => null) {
		this.origin = origin;
	}

	register(number: string): () => void {
		this.#figures.push(number);
		return () => {
			this.#figures = this.#figures.filter((each) => each !== number);
			if (this.maximized === number) this.maximized = null;
		};
	}

	has(number: string): boolean {
		return this.#figures.includes(number);
	}

	toggle(number: string): void {
		this.maximized = this.maximized === number ? null : number;
	}
}

export const [getFrame, setFrame] = createContext<Frame>();
