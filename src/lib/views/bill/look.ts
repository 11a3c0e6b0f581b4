/** How a line of the bill is named and filled: hatches and letters before hues. */
import { words } from '$lib/ui/words/index.ts';
import type { LineId } from './geometry.ts';

export function lineName(id: LineId): string {
	return id === 'payloadK' || id === 'payloadV' || id === 'payload' ? words.bill.lines[id] : words.billItems[id];
}

/** SVG fill; patterns come from Patterns.svelte with the same id. */
export function lineFill(id: LineId, patterns: string): string {
	switch (id) {
		case 'payloadK': return 'var(--ink)';
		case 'payloadV': return 'var(--ink-3)';
		case 'positions': return 'var(--st-sink)';
		case 'state': return 'var(--st-merged)';
		default: return `url(#${patterns}-${id})`;
	}
}
