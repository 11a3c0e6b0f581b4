/** The text in memory: each token with the share of heads that hold it. Pure. */
import { cellsAt, isReadable, isStored, positionsAt, textsOfRow } from '$lib/documents/read.ts';
import { CELL_STATES, type CellState, type Trace } from '$lib/documents/trace.ts';
import { STATE_INK } from '$lib/ui/glyphs.ts';
import { visibleToken } from '$lib/ui/format.ts';

export interface RibbonToken {
	position: number;
	/** As printed: spaces are middle dots. */
	text: string;
	/** A line break belongs after this token. */
	breaks: boolean;
	/** Share of all heads that store it, 0 … 1. */
	held: number;
	/** Ink of those slots as a share of exact ones in every head, 0 … 1. */
	ink: number;
	/** The state of most heads. */
	state: CellState;
	/** none: no head can read it; few: under a third; some; all. */
	fate: 'none' | 'few' | 'some' | 'all';
	generated: boolean;
	needle: boolean;
}

const STATES = CELL_STATES.length;

/** Tokens of an arm after a step. Empty when there is no such arm. */
export function ribbonTokens(trace: Trace, armIndex: number, step: number): RibbonToken[] {
	const arm = trace.arms[armIndex];
	if (!arm) return [];
	const at = Math.min(step, arm.steps.length - 1);
	const cells = cellsAt(arm, at);
	const texts = textsOfRow(trace, arm, at);
	const heads = trace.model.layers * trace.model.kvHeads;
	const positions = Math.min(arm.span, positionsAt(trace, at), texts.length);
	const tokens: RibbonToken[] = [];
	for (let position = 0; position < positions; position++) {
		const counts = new Array<number>(STATES).fill(0);
		for (let lane = 0; lane < heads; lane++) counts[cells[lane * arm.span + position]]++;
		let stored = 0;
		let readable = 0;
		let ink = 0;
		let most = 0;
		counts.forEach((count, state) => {
			if (isStored(state)) stored += count;
			if (isReadable(state)) readable += count;
			ink += count * (CELL_STATES[state] === 'hidden' ? 1 : STATE_INK[CELL_STATES[state]]);
			if (count > counts[most]) most = state;
		});
		const share = readable / heads;
		tokens.push({
			position, text: visibleToken(texts[position]), breaks: texts[position].includes('\n'),
			held: stored / heads, ink: ink / heads, state: CELL_STATES[most],
			fate: readable === 0 ? 'none' : share < 1 / 3 ? 'few' : share < 0.999 ? 'some' : 'all',
			generated: position >= trace.prompt.ids.length,
			needle: trace.prompt.needles.some(([from, to]) => position >= from && position < to)
		});
	}
	return tokens;
}

/** How many prompt tokens no head of the arm can read any more. */
export function lostEverywhere(tokens: readonly RibbonToken[]): number {
	return tokens.filter((token) => !token.generated && token.fate === 'none').length;
}
