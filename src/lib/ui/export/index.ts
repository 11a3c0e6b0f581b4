/** A figure as a file that stands alone: light theme, styles and fonts inside, with title, caption, source and link. */
import { flushSync } from 'svelte';
import { paint } from '../paint.svelte.ts';
import { download } from '../table.ts';
import { theme } from '../theme.svelte.ts';
import { fontRules } from './fonts.ts';
import { pictureOf } from './picture.ts';
import { rasterize, withTexts } from './png.ts';
import { sheet, type SheetLook, type SheetText } from './sheet.ts';

/** Pixels of a canvas cannot become marks: such a picture is a PNG only. */
export function hasPixels(root: HTMLElement): boolean {
	return root.querySelector('canvas') !== null;
}

/** Saves what `root` shows. Throws when the browser cannot draw it. */
export async function savePicture(root: HTMLElement, kind: 'svg' | 'png', name: string, text: SheetText): Promise<void> {
	const { picture, look } = onPaper(() => ({ picture: pictureOf(root), look: lookNow() }));
	const letters = new Map(picture.fonts);
	for (const [family, words] of [[look.voice, text.title], [look.ui, text.caption + text.provenance], [look.num, text.link]]) {
		letters.set(family, new Set([...(letters.get(family) ?? []), ...words]));
	}
	const { svg, width, height } = sheet(picture, text, look, await fontRules(letters));
	if (kind === 'svg') return download(`${name}.svg`, 'image/svg+xml', svg);
	const png = withTexts(await rasterize(svg, width, height), { Title: text.title, Description: `${text.caption} ${text.summary}`.trim(), Source: `${text.provenance} ${text.link}` });
	download(`${name}.png`, 'image/png', new Blob([png], { type: 'image/png' }));
}

/** Runs `draw` with the page as a file wants it. At once, so that no one sees it. */
function onPaper<T>(draw: () => T): T {
	const turn = (on: boolean) => {
		theme.onPaper = on;
		flushSync();
		theme.apply();
	};
	turn(true);
	try {
		return draw();
	} finally {
		turn(false);
	}
}

function lookNow(): SheetLook {
	const pen = document.createElement('canvas').getContext('2d')!;
	return {
		voice: paint.get('font-voice'), ui: paint.get('font-ui'), num: paint.get('font-num'),
		ink: paint.get('ink'), faint: paint.get('ink-2'), paper: paint.get('paper'),
		measure: (text, font) => {
			pen.font = font;
			return pen.measureText(text).width;
		}
	};
}
