import type { ModelShape } from '$lib/documents/trace.ts';
import { headByKey } from './head-grid.ts';

/**
 * A key on cell `index` of a radio group of all query heads: Enter and Space choose it, arrows choose the cell they lead to
 * and go there. Cells are drawn layer by layer. Other keys are left alone.
 */
export function onHeadKey(event: KeyboardEvent, index: number, model: ModelShape, group: Element, choose: (index: number) => void): void {
	const next = headByKey(event.key, index, model);
	if (event.key === 'Enter' || event.key === ' ') choose(index);
	else if (next !== null) {
		choose(next);
		group.querySelectorAll<SVGGElement>('[role=radio]')[next]?.focus();
	} else return;
	event.preventDefault();
	event.stopPropagation();
}
