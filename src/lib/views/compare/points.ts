/**
 * A sweep's table as points, quality against true bytes: of one task, or as the mean over all tasks. Pure.
 * Bytes are shares of the full cache, so that texts of different lengths can be put together.
 */
import type { MethodSpec } from '$lib/documents/experiment.ts';
import type { SweepDocument } from '$lib/documents/sweep.ts';
import { mean } from '$lib/numerics/select.ts';

/** correct: share of the texts answered rightly; agree: share of the steps with the same next word; kl: nats a step. */
export const MEASURES = ['correct', 'agree', 'kl'] as const;
export type Measure = (typeof MEASURES)[number];

/** When the bytes are counted: after the prompt, or with the answer. */
export type Moment = 'prompt' | 'end';

/** A mean over texts and its standard error. */
export interface Spread {
	value: number;
	se: number;
}

/** One row of the table. */
export interface Cell {
	/** Index into the table's tasks. */
	task: number;
	/** Index into the table's methods. */
	method: number;
	/** Share of the full cache that was asked for. */
	budget: number;
	stack: MethodSpec[];
	texts: number;
	kl: Spread;
	/** Quartiles of KL over the texts. */
	quartiles: [number, number, number];
	agree: Spread;
	/** null where the task has no right answer. */
	correct: Spread | null;
	share: number;
	shareEnd: number;
}

/** A method at a budget, as drawn and ranked. */
export interface Point {
	/** Method id and budget; unique. */
	key: string;
	id: string;
	title: string;
	family: string;
	budget: number;
	/** True bytes as a share of the full cache, at the moment that was chosen. */
	share: number;
	texts: number;
	kl: Spread;
	agree: Spread;
	correct: Spread | null;
	/** The rows behind it, by task. */
	cells: Cell[];
}

export interface PointChoice {
	/** Index into the table's tasks; null for the mean over all. */
	task: number | null;
	/** null for all. */
	family: string | null;
	moment: Moment;
}

export function cellsOf({ rows, stacks }: SweepDocument): Cell[] {
	return rows.map(([task, method, budget, stack, texts, kl, klSe, q1, median, q3, agree, agreeSe, correct, correctSe, share, shareEnd]) => ({
		task, method, budget, stack: stacks[stack], texts, kl: { value: kl, se: klSe }, quartiles: [q1, median, q3],
		agree: { value: agree, se: agreeSe }, correct: correct === null ? null : { value: correct, se: correctSe ?? 0 }, share, shareEnd
	}));
}

export const pointKey = (id: string, budget: number): string => `${id}@${budget}`;

/**
 * The points of a choice. In a mean over tasks a method stands at a budget only if it was measured there on every
 * task, since a mean over other tasks is no comparison; how many are missing for that is `partial`.
 */
export function pointsOf(document: SweepDocument, { task, family, moment }: PointChoice): { points: Point[]; partial: number } {
	const groups = new Map<string, Cell[]>();
	for (const cell of cellsOf(document)) {
		const method = document.methods[cell.method];
		if ((task !== null && cell.task !== task) || (family !== null && method.family !== family)) continue;
		const key = pointKey(method.id, cell.budget);
		groups.set(key, [...(groups.get(key) ?? []), cell]);
	}
	const wanted = task === null ? document.tasks.length : 1;
	const whole = [...groups].filter(([, cells]) => cells.length === wanted);
	return { points: whole.map(([key, cells]) => pointOf(document, key, cells, moment)), partial: groups.size - whole.length };
}

function pointOf(document: SweepDocument, key: string, cells: Cell[], moment: Moment): Point {
	const { id, title, family } = document.methods[cells[0].method];
	const answered = cells.flatMap(({ correct }) => correct ?? []);
	return {
		key, id, title, family, budget: cells[0].budget, cells, texts: cells.reduce((sum, { texts }) => sum + texts, 0),
		share: mean(cells.map(({ share, shareEnd }) => (moment === 'prompt' ? share : shareEnd))),
		kl: together(cells.map(({ kl }) => kl)), agree: together(cells.map(({ agree }) => agree)), correct: answered.length ? together(answered) : null
	};
}

/** The mean of means over independent texts: every task counts the same. */
function together(spreads: readonly Spread[]): Spread {
	return { value: mean(spreads.map(({ value }) => value)), se: Math.hypot(...spreads.map(({ se }) => se)) / spreads.length };
}

/** Higher is better, also for KL. */
export function quality(point: Point, measure: Measure): number {
	const spread = point[measure];
	return spread === null ? NaN : measure === 'kl' ? -spread.value : spread.value;
}

/** Share of the texts that the full cache answers, for one task or as the mean over those with an answer; null without one. */
export function fullCorrect({ tasks }: SweepDocument, task: number | null): number | null {
	const full = (task === null ? tasks : [tasks[task]]).flatMap((each) => each.full ?? []);
	return full.length ? mean(full) : null;
}
