/**
 * Theme and presenter mode: what the reader chose, kept in this browser, written to `<html>` as
 * `data-theme` and `data-mode`. `app.html` sets the theme before first paint.
 */
import { MediaQuery } from 'svelte/reactivity';

export type ThemeChoice = 'system' | 'light' | 'dark';
const KEY = 'winnow:theme';
const CHOICES: readonly ThemeChoice[] = ['system', 'light', 'dark'];

function stored(): ThemeChoice {
	try {
		const value = localStorage.getItem(KEY);
		return CHOICES.find((choice) => choice === value) ?? 'system';
	} catch {
		return 'system';
	}
}

class Theme {
	#dark = new MediaQuery('(prefers-color-scheme: dark)', false);
	#reduced = new MediaQuery('(prefers-reduced-motion: reduce)', false);
	choice = $state<ThemeChoice>('system');
	presenter = $state(false);
	/** A file is being drawn: on light paper, and finer than this screen may be. */
	onPaper = $state(false);

	/** The theme that is drawn. */
	get resolved(): 'light' | 'dark' {
		if (this.onPaper) return 'light';
		if (this.choice !== 'system') return this.choice;
		return this.#dark.current ? 'dark' : 'light';
	}

	get reducedMotion(): boolean {
		return this.#reduced.current;
	}

	/** Reads what was kept and follows every change; call once from the root layout's `$effect`. */
	load(): void {
		this.choice = stored();
	}

	apply(): void {
		document.documentElement.dataset.theme = this.resolved;
		if (this.presenter) document.documentElement.dataset.mode = 'presenter';
		else delete document.documentElement.dataset.mode;
	}

	choose(choice: ThemeChoice): void {
		this.choice = choice;
		try {
			localStorage.setItem(KEY, choice);
		} catch {
			/* Private windows refuse storage; the choice then lasts for this page. */
		}
	}

	next(): void {
		this.choose(CHOICES[(CHOICES.indexOf(this.choice) + 1) % CHOICES.length]);
	}
}

export const theme = new Theme();
