/** An SVG of the page as markup that stands alone: what stylesheets gave it becomes attributes. */
import { attributes, xml } from './xml.ts';

/** Passed on to children: written where it differs from the parent. */
const INHERITED = [
	'fill', 'fill-opacity', 'fill-rule', 'stroke', 'stroke-opacity', 'stroke-width', 'stroke-dasharray', 'stroke-linecap', 'stroke-linejoin',
	'font-family', 'font-size', 'font-weight', 'font-style', 'font-stretch', 'font-variant-numeric', 'letter-spacing', 'text-anchor', 'paint-order'
] as const;
/** Not passed on: written where it differs from its start. */
const OWN: Record<string, string> = { opacity: '1', transform: 'none' };
/** Attributes that place and shape; everything else belongs to the page. */
const SHAPE = /^(x|y|x1|x2|y1|y2|cx|cy|r|rx|ry|d|dx|dy|width|height|points|offset|viewBox|id|href|patternUnits|patternTransform|shape-rendering)$/;

type Values = Record<string, string>;

function stylesOf(element: Element): Values {
	const style = getComputedStyle(element);
	return Object.fromEntries([...INHERITED, ...Object.keys(OWN)].map((name) => [name, style.getPropertyValue(name)]));
}

function unseen(element: Element, style: CSSStyleDeclaration): boolean {
	if (style.display === 'none' || style.visibility === 'hidden' || Number(style.opacity) === 0) return true;
	// Areas that only take the pointer.
	return element instanceof SVGGeometryElement && nothing(style.fill, style.fillOpacity) && nothing(style.stroke, style.strokeOpacity);
}

const nothing = (paint: string, opacity: string) => paint === 'none' || /^rgba\(.*, 0\)$/.test(paint) || Number(opacity) === 0;

function write(element: Element, parent: Values): string {
	if (unseen(element, getComputedStyle(element))) return '';
	const now = stylesOf(element);
	const values: Values = {};
	for (const { name, value } of element.attributes) if (SHAPE.test(name)) values[name] = value;
	for (const name of INHERITED) if (now[name] !== parent[name]) values[name] = now[name];
	for (const [name, start] of Object.entries(OWN)) if (now[name] !== start) values[name] = now[name];
	if (getComputedStyle(element).whiteSpace === 'pre') values.style = 'white-space:pre';
	const inside = [...element.childNodes].map((child) =>
		child.nodeType === Node.TEXT_NODE ? (/^text$|^tspan$|^title$/.test(element.tagName) ? xml(child.nodeValue ?? '') : '')
			: child instanceof SVGElement ? write(child, { ...parent, ...now }) : '').join('');
	return `<${element.tagName}${attributes(values)}${inside ? `>${inside}</${element.tagName}>` : '/>'}`;
}

/** Markup of a whole SVG with its top left corner at (x, y) and `width` x `height` px large. */
export function inlineSvg(svg: SVGSVGElement, x: number, y: number, width: number, height: number): string {
	const now = stylesOf(svg);
	const inherited = Object.fromEntries(INHERITED.map((name) => [name, now[name]]));
	const inside = [...svg.children].map((child) => write(child, now)).join('');
	return `<svg${attributes({ x, y, width, height, viewBox: svg.getAttribute('viewBox') ?? undefined, overflow: 'visible', ...inherited })}>${inside}</svg>`;
}
