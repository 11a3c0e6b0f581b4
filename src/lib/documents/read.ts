/** Pure readings of a trace: what pictures, tests and exports ask again and again. */
import { CELL_STATES, PROMPT_STEP, type ArmTrace, type CellState, type ModelShape, type RowTrace, type StepTrace, type Trace, type VerbRecord } from './trace.ts';

const index = (state: CellState) => CELL_STATES.indexOf(state);
const ABSENT = index('absent');
const EVICTED = index('evicted');
const HIDDEN = index('hidden');

/** Is there a slot at all (hidden ones are stored)? */
export function isStored(state: number): boolean {
	return state !== ABSENT && state !== EVICTED;
}

/** Can attention read it? */
export function isReadable(state: number): boolean {
	return isStored(state) && state !== HIDDEN;
}

/** Place of a cell in `cells`: layer-major, then KV head, then position. */
export function cellIndex(model: ModelShape, span: number, layer: number, head: number, position: number): number {
	return (layer * model.kvHeads + head) * span + position;
}

/** Positions that exist after `step`: the prompt, and one token for each step after step 0. */
export function positionsAt(trace: Trace, step: number): number {
	return trace.prompt.ids.length + Math.max(0, step);
}

/**
 * States of all cells after `step` ([layers, kvHeads, span]); PROMPT_STEP gives the state after the
 * compression of the prompt. `from` may be the cells of an earlier step, `fromStep`, to start at.
 */
export function cellsAt(arm: ArmTrace, step: number, from: Uint8Array = arm.cells, fromStep = PROMPT_STEP): Uint8Array {
	const cells = from.slice();
	for (const diff of arm.diffs) {
		if (diff.step <= fromStep || diff.step > step) continue;
		for (let i = 0; i < diff.cells.length; i++) cells[diff.cells[i]] = diff.states[i];
	}
	return cells;
}

/** For each position the share of all KV heads that still store it, 0 … 1, [span]. */
export function shareStored(model: ModelShape, arm: ArmTrace, cells: Uint8Array): Float32Array {
	const heads = model.layers * model.kvHeads;
	const share = new Float32Array(arm.span);
	for (let row = 0; row < heads; row++) {
		for (let p = 0; p < arm.span; p++) if (isStored(cells[row * arm.span + p])) share[p]++;
	}
	return share.map((count) => count / heads);
}

/** How many heads of all layers have this position in each state, by index into CELL_STATES. */
export function statesOfPosition(model: ModelShape, arm: ArmTrace, cells: Uint8Array, position: number): Uint32Array {
	const counts = new Uint32Array(CELL_STATES.length);
	for (let row = 0; row < model.layers * model.kvHeads; row++) counts[cells[row * arm.span + position]]++;
	return counts;
}

/** Stored slots of one head. */
export function slotsOfHead(model: ModelShape, arm: ArmTrace, cells: Uint8Array, layer: number, head: number): number {
	const start = cellIndex(model, arm.span, layer, head, 0);
	let count = 0;
	for (let p = 0; p < arm.span; p++) if (isStored(cells[start + p])) count++;
	return count;
}

/**
 * First step at which the arm's token is not the reference's, or null. With forced tokens the
 * tokens never differ; use `firstDisagreement`.
 */
export function firstDivergence(trace: Trace, arm: ArmTrace): number | null {
	const other = trace.reference.steps;
	for (let i = 0; i < arm.steps.length; i++) {
		if (i >= other.length || arm.steps[i].token !== other[i].token) return i;
	}
	return arm.steps.length < other.length && trace.done ? arm.steps.length : null;
}

/** First step at which the arm's most likely token is not the full cache's at the same tokens. */
export function firstDisagreement(arm: ArmTrace): number | null {
	const step = arm.steps.findIndex((s) => !s.agrees);
	return step < 0 ? null : step;
}

const mean = (values: number[]) => (values.length ? values.reduce((a, b) => a + b, 0) / values.length : NaN);

/** Mean KL(full || arm) over the steps so far, nats; NaN before the first. */
export function meanKl(arm: ArmTrace): number {
	return mean(arm.steps.map((s) => s.kl));
}

/** Mean -log p of the tokens taken, nats. */
export function meanNll(row: { steps: StepTrace[] }): number {
	return mean(row.steps.map((s) => s.nll));
}

export function agreement(arm: ArmTrace): { agreed: number; of: number } {
	return { agreed: arm.steps.filter((s) => s.agrees).length, of: arm.steps.length };
}

/** Text of a row up to and including step `last` (all of it without `last`). */
export function textOf(row: { steps: StepTrace[] }, last = Infinity): string {
	return row.steps.slice(0, last + 1).map((s) => s.text).join('');
}

/** Text of every position after `step`: the prompt's tokens, then the row's own. */
export function textsOfRow(trace: Trace, row: RowTrace | ArmTrace, step: number): string[] {
	return [...trace.prompt.texts, ...row.steps.slice(0, Math.max(0, step)).map((s) => s.text)];
}

/** Verbs that touched a position, of one head or of all. */
export function verbsOn(arm: ArmTrace, position: number, layer?: number, head?: number): VerbRecord[] {
	return arm.verbs.filter((verb) =>
		(layer === undefined || verb.layer === layer) && (head === undefined || verb.head === head)
		&& (verb.into === position || verb.positions.includes(position)));
}

/** The last decision, up to `step`, in which a position of one head was a candidate. */
export function decisionOn(arm: ArmTrace, layer: number, head: number, position: number, step = Infinity): VerbRecord | null {
	return arm.verbs.findLast((verb) => verb.layer === layer && verb.head === head && verb.step <= step
		&& verb.decision?.positions.includes(position)) ?? null;
}

/** Number of steps that every row has. */
export function stepsDone(trace: Trace): number {
	return Math.max(trace.reference.steps.length, ...trace.arms.map((arm) => arm.steps.length));
}

/** Where to look first: the answer's first token, and the middle layer. */
export function firstLook(trace: Trace): { position: number | null; layer: number; head: number; arm: number } {
	const needle = trace.prompt.needles[0]?.[0] ?? null;
	const arm = trace.arms[0];
	const middle = Math.floor(trace.model.layers / 2);
	if (needle === null || !arm) return { position: null, layer: middle, head: 0, arm: 0 };
	// A layer in which some heads hold the token and some do not says more than one where all agree.
	const mixed = arm.kept.findIndex((heads) => {
		const holding = heads.filter((kept) => kept.includes(needle)).length;
		return holding > 0 && holding < heads.length;
	});
	const layer = mixed >= 0 ? mixed : middle;
	const head = Math.max(0, arm.kept[layer]?.findIndex((kept) => !kept.includes(needle)) ?? 0);
	return { position: needle, layer, head, arm: 0 };
}
