/** A cell of the table as an experiment of the lab, and what the page's address keeps. Pure. */
import { DEFAULT_GENERATE, type Experiment } from '$lib/documents/experiment.ts';
import { DEFAULT_REPORT } from '$lib/documents/schema.ts';
import type { SweepDocument } from '$lib/documents/sweep.ts';
import type { MeasuredAgain } from '$lib/lab/sweep/again.ts';
import { mean, standardError } from '$lib/numerics/select.ts';
import { MEASURES, type Cell, type Measure, type Moment } from '$lib/views/compare/points.ts';

/**
 * The lab's experiment of a cell on the text of one seed. `answer`: the full cache's answer, which the table feeds
 * to every arm; without it the arm writes its own words, up to `steps` of them.
 */
export function experimentOf({ model, tasks, methods }: SweepDocument, cell: Cell, seed: number, steps: number, answer?: readonly number[]): Experiment {
	const { task, options } = tasks[cell.task];
	return {
		version: 1, model: model.id, prompt: { ...options, task, seed }, ...(answer ? { forced: { tokens: [...answer] } } : {}),
		generate: { ...DEFAULT_GENERATE, tokens: steps }, prefill: { block: null },
		arms: [{ label: methods[cell.method].title.slice(0, 40), stack: cell.stack }], report: DEFAULT_REPORT
	};
}

/** A measured number beside its standard error; null where the task has no answer. */
export interface Beside {
	value: number;
	se: number;
}

export const QUANTITIES = ['correct', 'agree', 'kl', 'share', 'shareEnd'] as const;
export type Quantity = (typeof QUANTITIES)[number];

/** The mean of what was measured here, as the table has it. */
export function together(texts: readonly MeasuredAgain[]): Record<Quantity, Beside | null> {
	const of = (quantity: Quantity): Beside | null => {
		const numbers = texts.flatMap((text) => (text[quantity] === null ? [] : [Number(text[quantity])]));
		return numbers.length ? { value: mean(numbers), se: standardError(numbers) } : null;
	};
	return Object.fromEntries(QUANTITIES.map((quantity) => [quantity, of(quantity)])) as Record<Quantity, Beside | null>;
}

/** The table's numbers of a cell; it keeps no spread of the bytes. */
export function recordedOf(cell: Cell): Record<Quantity, Beside | null> {
	const { correct, agree, kl, share, shareEnd } = cell;
	return { correct, agree, kl, share: { value: share, se: 0 }, shareEnd: { value: shareEnd, se: 0 } };
}

/** Whether all means are the recorded ones to `digits` significant digits. */
export function sameNumbers(here: Record<Quantity, Beside | null>, recorded: Record<Quantity, Beside | null>, digits = 4): boolean {
	return QUANTITIES.every((quantity) => here[quantity]?.value.toPrecision(digits) === recorded[quantity]?.value.toPrecision(digits));
}

export interface Asked {
	/** Name of a task; null for the mean over all. */
	task: string | null;
	measure: Measure;
	moment: Moment;
	family: string | null;
	/** A cell's key, or a method's id. */
	at: string | null;
	method: string | null;
}

/** What an address asks for; what it does not say is the page's own choice. */
export function readAsked(search: string): Asked {
	const asked = new URLSearchParams(search);
	return {
		task: asked.get('task'), measure: MEASURES.find((each) => each === asked.get('measure')) ?? 'correct', moment: asked.get('bytes') === 'end' ? 'end' : 'prompt',
		family: asked.get('family'), at: asked.get('at'), method: asked.get('method')
	};
}

/** The part of the address from `?` on, or nothing. */
export function writeAsked({ task, measure, moment, family, at, method }: Asked): string {
	const asked = new URLSearchParams();
	if (task) asked.set('task', task);
	if (measure !== 'correct') asked.set('measure', measure);
	if (moment === 'end') asked.set('bytes', 'end');
	if (family) asked.set('family', family);
	if (at) asked.set('at', at);
	else if (method) asked.set('method', method);
	const text = asked.toString();
	return text && `?${text}`;
}
