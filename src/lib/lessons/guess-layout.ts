/** Where the prediction and the measurement stand on their shared axes, in px. Pure. */

export interface GuessLayout {
	width: number;
	/** Left of it the axis is labelled. */
	gutter: number;
	top: number;
	bottom: number;
	/** Width of a column; the first one is the full cache's. */
	column: number;
	bar: number;
	disc: number;
	/** Largest value. */
	max: number;
	narrow: boolean;
	/** For a class: larger, and hands instead of discs. */
	presenter: boolean;
	/** Middle of column `i`. */
	x(i: number): number;
	y(value: number): number;
	/** The value at a height. */
	valueAt(y: number): number;
}

/** `columns` counts the full cache's. */
export function guessLayout(width: number, columns: number, max: number, presenter: boolean): GuessLayout {
	const narrow = width < 480;
	const gutter = presenter ? 74 : narrow ? 26 : 60;
	const top = presenter ? 50 : 46;
	const bottom = top + (presenter ? 214 : narrow ? 210 : 260);
	const column = (width - gutter) / columns;
	return {
		width, gutter, top, bottom, column, max, narrow, presenter,
		bar: Math.min(presenter ? 78 : 64, column * 0.42),
		disc: presenter ? 11 : narrow ? 7 : 10,
		x: (i) => gutter + (i + 0.5) * column,
		y: (value) => bottom - ((bottom - top) * value) / max,
		valueAt: (y) => Math.max(0, Math.min(max, Math.round(((bottom - y) / (bottom - top)) * max)))
	};
}
