/** Which figure fills the page, if any. */
import { createContext } from 'svelte';

export class Frame {
	/** Number of the figure that is maximized. */
	maximized = $state<string | null>(null);
	#figures: string[] = [];

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
