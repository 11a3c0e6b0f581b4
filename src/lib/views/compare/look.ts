/** How a family looks: a shape and a colour, never the colour alone. Round is kept for what a hand did. */
import { symbol, symbolCross, symbolDiamond, symbolSquare, symbolStar, symbolTriangle, symbolWye, type SymbolType } from 'd3-shape';
import { armColor } from '$lib/ui/palettes.ts';
import { words } from '$lib/ui/words/index.ts';

/** A triangle that stands on its tip. */
const down: SymbolType = {
	draw(context, area) {
		const y = Math.sqrt(area / (Math.sqrt(3) * 3));
		context.moveTo(0, y * 2);
		context.lineTo(-Math.sqrt(3) * y, -y);
		context.lineTo(Math.sqrt(3) * y, -y);
		context.closePath();
	}
};
const SHAPES: readonly SymbolType[] = [symbolSquare, symbolTriangle, symbolDiamond, down, symbolCross, symbolWye, symbolStar];

export const FAMILIES: readonly string[] = Object.keys(words.methods.families);

/** The name of a family; one that this page does not know is called as the table calls it. */
export function familyName(family: string): string {
	return (words.methods.families as Record<string, { name: string } | undefined>)[family]?.name ?? family;
}

/** Path round (0, 0) and colour of a family's mark, `size` pixels across or so. */
export function markOf(family: string, size = 9): { d: string; color: string } {
	const at = FAMILIES.indexOf(family);
	const index = at < 0 ? SHAPES.length : at;
	return { d: symbol(SHAPES[index % SHAPES.length], size * size * 0.72)() ?? '', color: armColor(index) };
}
