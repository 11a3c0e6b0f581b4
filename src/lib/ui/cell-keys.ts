/** Arrow keys on the cell that is looked at: left and right positions, up and down heads. Pure. */
import type { SelectionFields, SelectionShape } from './selection.svelte.ts';

/**
 * The change a key makes, or null when the key does not move the cell. Up and down go through the
 * heads of a layer into the next layer; with shift left and right jump eight positions; page keys
 * change the layer.
 */
export function moveCell(key: string, shift: boolean, now: Pick<SelectionFields, 'position' | 'layer' | 'head'>, shape: SelectionShape): Partial<SelectionFields> | null {
	const { position, layer, head } = now;
	const last = shape.positions - 1;
	if (last < 0) return null;
	const lane = layer * shape.kvHeads + head;
	const place = (p: number) => ({ position: Math.min(last, Math.max(0, p)), layer, head });
	const toLane = (l: number) => {
		const bounded = Math.min(shape.layers * shape.kvHeads - 1, Math.max(0, l));
		return { position: position ?? last, layer: Math.floor(bounded / shape.kvHeads), head: bounded % shape.kvHeads };
	};
	const jump = shift ? 8 : 1;
	switch (key) {
		case 'ArrowLeft': return place(position === null ? last : position - jump);
		case 'ArrowRight': return place(position === null ? 0 : position + jump);
		case 'ArrowUp': return toLane(lane - 1);
		case 'ArrowDown': return toLane(lane + 1);
		case 'PageUp': return toLane(lane - shape.kvHeads);
		case 'PageDown': return toLane(lane + shape.kvHeads);
		case 'Home': return place(0);
		case 'End': return place(last);
		default: return null;
	}
}
