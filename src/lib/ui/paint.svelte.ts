/**
 * Colours and lengths of the present theme for canvases, which cannot read CSS variables. Reading
 * any of these inside a draw function makes it draw again when the theme or the mode changes.
 */
import { hexToRgb, ramp, rampTable, css, type Rgb } from './palettes.ts';
import { theme } from './theme.svelte.ts';

class Paint {
	/** Changes whenever the values may have changed. */
	#key = $derived(`${theme.resolved}:${theme.presenter}`);
	#cache = new Map<string, string>();
	#cachedFor = '';

	/** Value of a token, e.g. `get('ink')`, `get('font-num')`. */
	get(name: string): string {
		const key = this.#key;
		// The attribute may lag behind the state by one effect: read for the theme that is meant.
		const root = document.documentElement;
		if (root.dataset.theme !== theme.resolved || (root.dataset.mode === 'presenter') !== theme.presenter) theme.apply();
		if (this.#cachedFor !== key) {
			this.#cache.clear();
			this.#cachedFor = key;
		}
		let value = this.#cache.get(name);
		if (value === undefined) {
			value = getComputedStyle(root).getPropertyValue(`--${name}`).trim();
			this.#cache.set(name, value);
		}
		return value;
	}

	px(name: string): number {
		return parseFloat(this.get(name)) || 0;
	}

	rgb(name: string): Rgb {
		return hexToRgb(this.get(name));
	}

	#stops(palette: 'seq' | 'div'): Rgb[] {
		return Array.from({ length: 9 }, (_, i) => this.rgb(`${palette}-${i}`));
	}

	/** Sequential colour, t in [0, 1]. */
	sequential(): (t: number) => string {
		const at = ramp(this.#stops('seq'));
		return (t) => css(at(t));
	}

	/** Diverging colour, v in [-1, 1], 0 in the middle. */
	diverging(): (v: number) => string {
		const at = ramp(this.#stops('div'));
		return (v) => css(at(0.5 + v / 2));
	}

	/** 256 colours as bytes, for image data. */
	table(palette: 'seq' | 'div'): Uint8ClampedArray {
		return rampTable(this.#stops(palette));
	}

	/** CSS font shorthand for a canvas, e.g. `font(600, 13, 'num')`. */
	font(weight: number, size: number, family: 'ui' | 'num' | 'voice' = 'ui'): string {
		return `${weight} ${size}px ${this.get(`font-${family}`)}`;
	}
}

export const paint = new Paint();
