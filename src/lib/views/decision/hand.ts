/** The hand beside a decision: which edit a press makes. Pure. */
import { earliestStep } from '$lib/documents/edits.ts';
import type { Edit, EditAct } from '$lib/documents/experiment.ts';
import { visibleToken } from '$lib/ui/format.ts';
import { words } from '$lib/ui/words/index.ts';

export type Where = 'head' | 'layer' | 'all';
export type From = 'start' | 'step';

/** What a picture needs of the page so that a hand can act. */
export interface HandDesk {
	/** Edits of an arm as the experiment has them now. */
	edits(arm: number): readonly Edit[];
	/** One more edit, or an edit less; the page runs again. */
	add(arm: number, edit: Edit, said: string): void;
	remove(arm: number, index: number): void;
}

export interface Place {
	/** Prompt tokens. */
	n: number;
	position: number;
	layer: number;
	head: number;
	/** The step that is looked at; the next one is the first that an edit "from here" changes. */
	looked: number;
}

/** The step before which an edit acts. From the start a pin acts before the prompt is compressed, so that it takes a place in the budget. */
export function stepOf(act: EditAct, from: From, { n, position, looked }: Place): number {
	const first = earliestStep(n, position);
	if (from === 'step') return Math.max(first, looked + 1);
	return act === 'pin' && first === 0 ? -1 : first;
}

export function editOf(act: EditAct, where: Where, from: From, place: Place): Edit {
	const { position, layer, head } = place;
	return {
		step: stepOf(act, from, place), act, positions: [position],
		...(where === 'all' ? {} : { layer }), ...(where === 'head' ? { head } : {})
	};
}

/** An edit as a line: tokens by name while they are few. */
export function editWords({ act, positions, layer, head, step }: Edit, textAt: (position: number) => string): string {
	const named = positions.length <= 3 ? positions.map((p) => `${visibleToken(textAt(p))} ${p}`).join(', ') : words.hand.tokens(positions.length);
	return words.hand.edit(act, named, layer, head, step);
}
