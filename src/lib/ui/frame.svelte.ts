/** Which figure fills the page, if any. */
import { createContext } from 'svelte';

export class Frame {
	/** Number of the figure that is maximized. */
	maximized = $state<string | null>(null);
	#figures = new Set<string>();

	register(number: string): () => void {
		this.#figures.add(number);
		return () => {
			this.#figures.delete(number);
			if (this.maximized === number) this.maximized = null;
		};
	}

	has(number: string): boolean {
		return this.#figures.has(number);
	}

	toggle(number: string): void {
		this.maximized = this.maximized === number ? null : number;
	}
}

export const [getFrame, setFrame] = createContext<Frame>();
