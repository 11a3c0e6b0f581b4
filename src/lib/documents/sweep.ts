/**
 * The table of a sweep: methods x budgets x tasks, each cell measured over many texts. Recorded, never live.
 * A cell can be run again: the task with its options and a seed as the prompt, the cell's stack as the only arm,
 * and what the full cache answers as the forced tokens.
 */
import type { EngineInfo } from './trace.ts';
import type { MethodSpec } from './experiment.ts';

export const SWEEP_VERSION = 1;

/**
 * A row of the table. KL(full || arm) in nats, mean over the steps of a text; agreement: share of the steps with the
 * same most likely token; correct: share of the texts with the right answer, null for a task without one. Bytes are
 * shares of the full cache: `share` after the prompt, `shareEnd` with the answer. Se: standard error of the
 * mean over the texts; Q1, Median, Q3: quartiles over the texts.
 */
export const SWEEP_COLUMNS = [
	'task', 'method', 'budget', 'stack', 'texts', 'kl', 'klSe', 'klQ1', 'klMedian', 'klQ3', 'agree', 'agreeSe', 'correct', 'correctSe', 'share', 'shareEnd'
] as const;

export type SweepRow = [
	/** Index into `tasks`. */ task: number, /** Index into `methods`. */ method: number,
	/** Share of the cache that was asked for. */ budget: number, /** Index into `stacks`. */ stack: number,
	texts: number, kl: number, klSe: number, klQ1: number, klMedian: number, klQ3: number, agree: number, agreeSe: number,
	correct: number | null, correctSe: number | null, share: number, shareEnd: number
];

export interface SweepTask {
	task: string;
	options: Record<string, string | number | boolean>;
	/** Texts measured, and their mean tokens of the prompt and steps of the answer. */
	texts: number;
	tokens: number;
	steps: number;
	/** Share of the texts that the full cache answers; null for a task without an answer. */
	full: number | null;
}

export interface SweepDocument {
	version: typeof SWEEP_VERSION;
	kind: 'sweep';
	/** The command that makes it. */
	command: string;
	model: { id: string; fingerprint: string };
	engine: Pick<EngineInfo, 'backend' | 'precision' | 'weights'>;
	seeds: { first: number; count: number };
	budgets: number[];
	tasks: SweepTask[];
	methods: { id: string; title: string; family: string }[];
	stacks: MethodSpec[][];
	columns: readonly string[];
	rows: SweepRow[];
	/** Methods, or some of their cells, that are not in the table, and why. */
	leftOut: { method: string; why: string }[];
}

/** Reads such a document. Throws Error in a sentence when it is none, or of another version. */
export function readSweep(json: unknown): SweepDocument {
	const document = json as Partial<SweepDocument> | null;
	if (document?.kind !== 'sweep') throw new Error('This is no table of a sweep.');
	if (document.version !== SWEEP_VERSION || JSON.stringify(document.columns) !== JSON.stringify(SWEEP_COLUMNS)) {
		throw new Error('This table of a sweep was made by another version of Winnow.');
	}
	return document as SweepDocument;
}
