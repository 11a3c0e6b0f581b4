/**
 * Colours as numbers. Three palettes only: sequential, diverging around zero, categorical. The
 * hex values live in tokens.css; nothing here names a colour.
 */
export type Rgb = readonly [number, number, number];

/** Parses `#rrggbb` or `#rgb`. Throws for anything else. */
export function hexToRgb(hex: string): Rgb {
	const text = hex.trim().replace('#', '');
	const full = text.length === 3 ? [...text].map((c) => c + c).join('') : text;
	if (!/^[0-9a-f]{6}$/i.test(full)) throw new SyntaxError(`not a hex colour: ${hex}`);
	return [0, 2, 4].map((i) => parseInt(full.slice(i, i + 2), 16)) as unknown as Rgb;
}

export function css([r, g, b]: Rgb): string {
	return `rgb(${Math.round(r)},${Math.round(g)},${Math.round(b)})`;
}

/** Piecewise linear ramp through equally spaced stops; t is clamped to [0, 1]. */
export function ramp(stops: readonly Rgb[]): (t: number) => Rgb {
	const last = stops.length - 1;
	return (t) => {
		const place = Math.min(1, Math.max(0, Number.isFinite(t) ? t : 0)) * last;
		const i = Math.min(last - 1, Math.floor(place));
		const f = place - i;
		return [0, 1, 2].map((k) => stops[i][k] + (stops[i + 1][k] - stops[i][k]) * f) as unknown as Rgb;
	};
}

/** 256 entries of a ramp as bytes [256 x 3], for writing into image data. */
export function rampTable(stops: readonly Rgb[]): Uint8ClampedArray {
	const at = ramp(stops);
	const table = new Uint8ClampedArray(256 * 3);
	for (let i = 0; i < 256; i++) table.set(at(i / 255).map(Math.round), i * 3);
	return table;
}

/** WCAG 2 relative luminance. */
export function luminance([r, g, b]: Rgb): number {
	const [x, y, z] = [r, g, b].map((v) => {
		const c = v / 255;
		return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
	});
	return 0.2126 * x + 0.7152 * y + 0.0722 * z;
}

/** WCAG 2 contrast ratio, 1 to 21. */
export function contrast(a: Rgb, b: Rgb): number {
	const [hi, lo] = [luminance(a), luminance(b)].sort((x, y) => y - x);
	return (hi + 0.05) / (lo + 0.05);
}

export const ARM_LETTERS = 'ABCDEFGH';
/** Stroke dashes of the arms' lines: hue is never alone. */
export const ARM_DASHES = ['', '7 3', '2 3', '10 3 2 3', '12 4', '4 4', '1 4', '8 2 2 2 2 2'] as const;

export function armLetter(arm: number): string {
	return ARM_LETTERS[arm] ?? `${arm + 1}`;
}

/** CSS colour of an arm. */
export function armColor(arm: number): string {
	return `var(--cat-${(arm % 8) + 1})`;
}
