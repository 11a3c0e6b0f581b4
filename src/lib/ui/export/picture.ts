/**
 * A part of the page as SVG marks: boxes, rules and text from where the browser has put them, SVGs
 * with their styles inlined, canvases as images. No foreign objects, so that any program reads it.
 */
import { inlineSvg } from './inline-svg.ts';
import { gradient } from './gradient.ts';
import { textLines } from './text-lines.ts';
import { attributes, xml } from './xml.ts';

export interface Picture {
	width: number;
	height: number;
	/** SVG marks with the top left corner at (0, 0). */
	body: string;
	/** Characters by font family, to know which fonts a file needs. */
	fonts: Map<string, Set<string>>;
}

const clear = (color: string) => color === 'transparent' || /^rgba\(.*, 0\)$/.test(color);

class Scribe {
	readonly #out: string[] = [];
	readonly #measure = document.createElement('canvas').getContext('2d')!;
	readonly #origin: DOMRect;
	#gradients = 0;
	right = 0;
	bottom = 0;
	readonly fonts = new Map<string, Set<string>>();

	constructor(root: Element) {
		this.#origin = root.getBoundingClientRect();
	}
	get body(): string { return this.#out.join(''); }

	/** Elements that are not part of the picture: keys, and what only screen readers read. */
	element(element: Element): void {
		const style = getComputedStyle(element);
		if (style.display === 'none' || style.visibility === 'hidden' || element.matches('.visually-hidden, .no-print, .key, details, input, select')) return;
		const box = element.getBoundingClientRect();
		const [x, y] = [box.left - this.#origin.left, box.top - this.#origin.top];
		if (element instanceof SVGSVGElement) {
			this.#grow(x + box.width, y + box.height);
			for (const text of element.querySelectorAll('text')) this.#letters(getComputedStyle(text).fontFamily, text.textContent ?? '');
			this.#out.push(inlineSvg(element, x, y, box.width, box.height));
			return;
		}
		if (element instanceof HTMLCanvasElement) {
			if (element.width === 0 || element.height === 0) return;
			this.#grow(x + box.width, y + box.height);
			this.#out.push(`<image${attributes({ x, y, width: box.width, height: box.height, href: element.toDataURL() })}/>`);
			return;
		}
		if (box.width > 0 && box.height > 0) this.#box(style, x, y, box.width, box.height);
		for (const child of element.childNodes) {
			if (child instanceof Text) this.#text(child, style);
			else if (child instanceof Element) this.element(child);
		}
	}

	#grow(right: number, bottom: number): void {
		this.right = Math.max(this.right, right);
		this.bottom = Math.max(this.bottom, bottom);
	}

	#letters(family: string, text: string): void {
		const set = this.fonts.get(family) ?? new Set();
		for (const letter of text) set.add(letter);
		this.fonts.set(family, set);
	}

	/** Ground and borders of a box; a round one is an ellipse. */
	#box(style: CSSStyleDeclaration, x: number, y: number, width: number, height: number): void {
		const round = parseFloat(style.borderTopLeftRadius) >= (style.borderTopLeftRadius.endsWith('%') ? 50 : Math.min(width, height) / 2) && width > 0;
		const shade = gradient(style.backgroundImage, `shade-${this.#gradients}`);
		let fill = clear(style.backgroundColor) ? undefined : style.backgroundColor;
		if (shade) {
			this.#out.push(shade.markup);
			fill = `url(#${shade.id})`;
			this.#gradients++;
		}
		const sides = (['Top', 'Right', 'Bottom', 'Left'] as const).map((side) => ({
			width: style[`border${side}Style`] === 'none' ? 0 : parseFloat(style[`border${side}Width`]), color: style[`border${side}Color`], style: style[`border${side}Style`]
		}));
		const dash = (line: { style: string; width: number }) => (line.style === 'dashed' ? `${3 * line.width} ${2 * line.width}` : line.style === 'dotted' ? `${line.width} ${line.width}` : undefined);
		if (fill || sides.some((side) => side.width > 0)) this.#grow(x + width, y + height);
		if (round) {
			const line = sides[0];
			const inset = line.width / 2;
			if (fill || line.width) this.#out.push(`<ellipse${attributes({ cx: x + width / 2, cy: y + height / 2, rx: width / 2 - inset, ry: height / 2 - inset, fill: fill ?? 'none', stroke: line.width ? line.color : undefined, 'stroke-width': line.width || undefined, 'stroke-dasharray': dash(line) })}/>`);
			return;
		}
		if (fill) this.#out.push(`<rect${attributes({ x, y, width, height, fill })}/>`);
		const ends = [[x, y, x + width, y], [x + width, y, x + width, y + height], [x, y + height, x + width, y + height], [x, y, x, y + height]];
		const into = [[0, 1], [-1, 0], [0, -1], [1, 0]];
		sides.forEach((side, i) => {
			if (!side.width || clear(side.color)) return;
			const [dx, dy] = into[i].map((d) => (d * side.width) / 2);
			this.#out.push(`<line${attributes({ x1: ends[i][0] + dx, y1: ends[i][1] + dy, x2: ends[i][2] + dx, y2: ends[i][3] + dy, stroke: side.color, 'stroke-width': side.width, 'stroke-dasharray': dash(side) })}/>`);
		});
		const edge = style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth);
		if (edge > 0) {
			const away = parseFloat(style.outlineOffset) + edge / 2;
			this.#out.push(`<rect${attributes({ x: x - away, y: y - away, width: width + 2 * away, height: height + 2 * away, fill: 'none', stroke: style.outlineColor, 'stroke-width': edge })}/>`);
		}
	}

	#text(node: Text, style: CSSStyleDeclaration): void {
		const keeps = style.whiteSpace.startsWith('pre');
		for (const line of textLines(node, keeps)) {
			this.#measure.font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
			const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = this.#measure.measureText(line.text);
			const [x, top] = [line.left - this.#origin.left, line.top - this.#origin.top];
			this.#grow(line.right - this.#origin.left, line.bottom - this.#origin.top);
			this.#letters(style.fontFamily, line.text);
			this.#out.push(`<text${attributes({
				x, y: top + (line.bottom - line.top - up - down) / 2 + up, fill: style.color, 'font-family': style.fontFamily, 'font-size': style.fontSize, 'font-weight': style.fontWeight,
				'font-style': style.fontStyle === 'normal' ? undefined : style.fontStyle, 'font-stretch': style.fontStretch === '100%' ? undefined : style.fontStretch,
				'text-decoration': style.textDecorationLine === 'none' ? undefined : style.textDecorationLine,
				// The width as set holds even where the fonts are not at hand.
				...(line.text.length > 1 ? { textLength: line.right - line.left, lengthAdjust: 'spacingAndGlyphs' } : {}),
				...(keeps ? { style: 'white-space:pre' } : {})
			})}>${xml(line.text)}</text>`);
		}
	}
}

/** Draws an element of the page; what is scrolled out of sight is drawn too. */
export function pictureOf(root: HTMLElement): Picture {
	const scrolled = [root, ...root.querySelectorAll('*')].filter((each) => each.scrollLeft > 0 || each.scrollTop > 0).map((each) => ({ each, left: each.scrollLeft, top: each.scrollTop }));
	for (const { each } of scrolled) each.scrollTo({ left: 0, top: 0, behavior: 'instant' });
	try {
		const scribe = new Scribe(root);
		scribe.element(root);
		return { width: Math.ceil(scribe.right), height: Math.ceil(scribe.bottom), body: scribe.body, fonts: scribe.fonts };
	} finally {
		for (const { each, left, top } of scrolled) each.scrollTo({ left, top, behavior: 'instant' });
	}
}
