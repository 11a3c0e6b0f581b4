/** A CSS gradient from left to right (the only kind in pictures) as an SVG one. Pure. */
import { attributes } from './xml.ts';

/** Splits at commas that stand outside of brackets. */
function parts(text: string): string[] {
	return text.split(/,(?![^(]*\))/).map((part) => part.trim());
}

/** Markup of `linear-gradient(90deg, …)` with colours and optional percentages; null for anything else. */
export function gradient(image: string, id: string): { id: string; markup: string } | null {
	const inside = /^linear-gradient\((90deg|to right), (.*)\)$/.exec(image)?.[2];
	if (!inside) return null;
	const colors = parts(inside);
	const stops = colors.map((part, i) => {
		const [, color, at] = /^(.*?)(?: ([\d.]+)%)?$/.exec(part)!;
		const clear = color === 'transparent' || /^rgba\(.*, 0\)$/.test(color);
		return `<stop${attributes({ offset: at === undefined ? i / Math.max(1, colors.length - 1) : Number(at) / 100, 'stop-color': clear ? 'white' : color, 'stop-opacity': clear ? '0' : undefined })}/>`;
	});
	return { id, markup: `<linearGradient${attributes({ id })}>${stops.join('')}</linearGradient>` };
}
