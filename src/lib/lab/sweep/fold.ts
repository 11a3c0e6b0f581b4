/** From the measurements of a sweep to its table. Pure: the order of the measurements does not matter. */
import { SWEEP_COLUMNS, SWEEP_VERSION, type SweepDocument, type SweepRow, type SweepTask } from '$lib/documents/sweep.ts';
import type { MethodSpec } from '$lib/documents/experiment.ts';
import { mean, quantile, standardError } from '$lib/numerics/select.ts';
import { cellKey, type Cell, type LeftOut } from './cells.ts';
import type { CellResult, TextResult } from './measure.ts';

/** What the table is to hold. */
export interface FoldPlan extends Pick<SweepDocument, 'command' | 'model' | 'engine' | 'seeds' | 'budgets' | 'methods'> {
	tasks: { task: string; options: SweepTask['options']; cells: Pick<Cell, 'method' | 'budget' | 'stack'>[] }[];
	leftOut: readonly LeftOut[];
}

/** Digits that are kept: more than the spread over the texts lets mean anything. */
const DIGITS = 4;
const short = (x: number): number => Number(x.toPrecision(DIGITS));

/** A measured cell of a text, by task, seed and cell; the first of equals counts, and what the plan does not ask for is left out. */
export function measured(plan: FoldPlan, results: readonly TextResult[]): Map<string, { text: TextResult; cell: CellResult }> {
	const { first, count } = plan.seeds;
	const wanted = new Set(plan.tasks.flatMap(({ task, cells }) => cells.map((cell) => `${task} ${cellKey(cell)}`)));
	const found = new Map<string, { text: TextResult; cell: CellResult }>();
	for (const text of results) {
		if (text.seed < first || text.seed >= first + count) continue;
		for (const cell of text.cells) {
			const key = measurementKey(text.task, text.seed, cell);
			if (wanted.has(`${text.task} ${cellKey(cell)}`) && !found.has(key)) found.set(key, { text, cell });
		}
	}
	return found;
}

export const measurementKey = (task: string, seed: number, cell: Pick<Cell, 'method' | 'budget' | 'stack'>): string => `${task} ${seed} ${cellKey(cell)}`;

/** The table, and how many measurements it lacks. Cells without any are left out. */
export function fold(plan: FoldPlan, results: readonly TextResult[]): { document: SweepDocument; missing: number } {
	const found = measured(plan, results);
	const seeds = Array.from({ length: plan.seeds.count }, (_, i) => plan.seeds.first + i);
	const stacks: MethodSpec[][] = [];
	const problems = new Map<string, string>();
	const rows: SweepRow[] = [];
	let missing = 0;
	const tasks = plan.tasks.map(({ task, options, cells }, t): SweepTask => {
		const texts = new Map<number, TextResult>();
		for (const cell of cells) {
			const here = seeds.flatMap((seed) => found.get(measurementKey(task, seed, cell)) ?? []);
			missing += seeds.length - here.length;
			for (const { text } of here) texts.set(text.seed, text);
			const good = here.flatMap(({ cell: { problem, ...numbers } }) => {
				if (problem !== undefined && !problems.has(cell.method)) problems.set(cell.method, problem);
				return problem === undefined ? [numbers as Required<Omit<CellResult, 'problem'>>] : [];
			});
			if (good.length === 0) continue;
			rows.push([t, plan.methods.findIndex(({ id }) => id === cell.method), cell.budget, indexIn(stacks, cell.stack as MethodSpec[]), good.length, ...numbersOf(good)]);
		}
		const read = [...texts.values()].sort((a, b) => a.seed - b.seed);
		const answered = read.map(({ full }) => full).filter((full) => full !== null);
		return {
			task, options, texts: read.length, tokens: read.length ? short(mean(read.map(({ tokens }) => tokens))) : 0, steps: read.length ? short(mean(read.map(({ steps }) => steps))) : 0,
			full: answered.length ? short(mean(answered.map(Number))) : null
		};
	});
	const leftOut = [...plan.leftOut, ...[...problems].map(([method, why]) => ({ method, why }))];
	const { command, model, engine, budgets, methods } = plan;
	return {
		document: { version: SWEEP_VERSION, kind: 'sweep', command, model, engine, seeds: plan.seeds, budgets, tasks, methods, stacks, columns: SWEEP_COLUMNS, rows, leftOut },
		missing
	};
}

type Numbers = SweepRow extends [number, number, number, number, number, ...infer Rest] ? Rest : never;

/** Means and spreads over the texts. */
function numbersOf(texts: readonly Required<Omit<CellResult, 'problem'>>[]): Numbers {
	const kl = texts.map((text) => text.kl);
	const agree = texts.map((text) => text.agree);
	const correct = texts.flatMap((text) => (text.correct === null ? [] : [Number(text.correct)]));
	const quartiles = [0.25, 0.5, 0.75].map((q) => short(quantile(kl, q)));
	return [
		short(mean(kl)), short(standardError(kl)), quartiles[0], quartiles[1], quartiles[2], short(mean(agree)), short(standardError(agree)),
		correct.length ? short(mean(correct)) : null, correct.length ? short(standardError(correct)) : null,
		short(mean(texts.map((text) => text.share))), short(mean(texts.map((text) => text.shareEnd)))
	];
}

function indexIn(stacks: MethodSpec[][], stack: MethodSpec[]): number {
	const text = JSON.stringify(stack);
	const at = stacks.findIndex((other) => JSON.stringify(other) === text);
	return at >= 0 ? at : stacks.push(stack) - 1;
}
