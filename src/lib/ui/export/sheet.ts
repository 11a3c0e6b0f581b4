/** The sheet round a picture: title, what it shows, and below it where its numbers come from and the link. Pure. */
import { attributes, xml } from './xml.ts';

export interface SheetText {
	title: string;
	/** What the picture shows, a sentence or two; may be empty. */
	caption: string;
	/** The picture in words, for who cannot see it. */
	summary: string;
	/** Where the numbers come from. */
	provenance: string;
	/** Address of the experiment. */
	link: string;
}

export interface SheetLook {
	/** CSS font families. */
	voice: string;
	ui: string;
	num: string;
	ink: string;
	faint: string;
	paper: string;
	/** Width of a text in px. */
	measure: (text: string, font: string) => number;
}

const MARGIN = 24;
const LEAST = 480;

/** Breaks a text into lines of at most `room` px; a word that is wider is cut. */
export function wrap(text: string, room: number, measure: (text: string) => number): string[] {
	const lines: string[] = [];
	let line = '';
	for (const word of text.split(/\s+/).filter(Boolean)) {
		const longer = line ? `${line} ${word}` : word;
		if (measure(longer) <= room) {
			line = longer;
			continue;
		}
		if (line) lines.push(line);
		line = word;
		while (measure(line) > room && line.length > 1) {
			let fits = Math.max(1, Math.floor((line.length * room) / measure(line)));
			while (fits > 1 && measure(line.slice(0, fits)) > room) fits--;
			lines.push(line.slice(0, fits));
			line = line.slice(fits);
		}
	}
	return line ? [...lines, line] : lines;
}

/** The whole file. `styles` is CSS that the file carries (its fonts). */
export function sheet(picture: { width: number; height: number; body: string }, text: SheetText, look: SheetLook, styles = ''): { svg: string; width: number; height: number } {
	const room = Math.max(LEAST, picture.width);
	const out: string[] = [];
	let y = MARGIN;
	const write = (content: string, size: number, height: number, family: string, color: string, weight = 400, href?: string) => {
		for (const line of wrap(content, room, (each) => look.measure(each, `${weight} ${size}px ${family}`))) {
			y += height;
			const mark = `<text${attributes({ x: MARGIN, y: y - (height - size) / 2 - size * 0.2, 'font-family': family, 'font-size': size, 'font-weight': weight, fill: color })}>${xml(line)}</text>`;
			out.push(href ? `<a${attributes({ href })}>${mark}</a>` : mark);
		}
	};
	const rule = (width: number) => out.push(`<line${attributes({ x1: MARGIN, x2: MARGIN + room, y1: y, y2: y, stroke: look.ink, 'stroke-width': width })}/>`);
	rule(2);
	y += 6;
	write(text.title, 22, 28, look.voice, look.ink, 600);
	write(text.caption, 13, 18, look.ui, look.ink);
	y += 14;
	out.push(`<svg${attributes({ x: MARGIN, y, width: picture.width, height: picture.height, overflow: 'visible' })}>${picture.body}</svg>`);
	y += picture.height + 16;
	rule(1);
	y += 6;
	write(text.provenance, 12, 16, look.ui, look.faint);
	write(text.link, 12, 16, look.num, look.faint, 400, text.link);
	const width = room + 2 * MARGIN;
	const height = Math.ceil(y + MARGIN);
	return {
		width, height,
		svg: `<svg${attributes({ xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}` })}><title>${xml(text.title)}</title><desc>${xml([text.caption, text.summary, text.provenance, text.link].filter(Boolean).join(' '))}</desc>`
			+ `${styles ? `<style>${styles.replaceAll('<', '\\3c ')}</style>` : ''}<rect${attributes({ width, height, fill: look.paper })}/>${out.join('')}</svg>`
	};
}
