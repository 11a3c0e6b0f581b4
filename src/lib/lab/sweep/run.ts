/** A sweep over many texts, one measurement after the other; what has been measured is not measured again. */
import type { Method } from '$lib/methods/define.ts';
import { methods as registry } from '$lib/methods/registry.ts';
import { readMethodSpec } from '$lib/methods/start.ts';
import type { Lab } from '../lab.ts';
import { modelFingerprint } from '$lib/model/index.ts';
import { budgetCells, sizedCells, sizedMethods, type Cell } from './cells.ts';
import { measurementKey, type FoldPlan } from './fold.ts';
import { fullAnswer, measureText, readText, type TextResult, type TextSpec } from './measure.ts';

/** The six tasks as a sweep sets them: long enough that 6 % of the cache is more than a question, short enough for many texts. */
export const SWEEP_TASKS: Record<string, Pick<TextSpec, 'options' | 'steps'>> = {
	needle: { options: { length: 512 }, steps: 8 },
	facts: { options: { length: 400 }, steps: 8 },
	chat: { options: { length: 400 }, steps: 24 },
	chain: { options: { length: 300, steps: 2 }, steps: 40 },
	copy: { options: { count: 20 }, steps: 48 },
	story: { options: { length: 300 }, steps: 24 }
};

export interface SweepOptions {
	methods: readonly Method[];
	budgets: number[];
	/** Names out of `SWEEP_TASKS`. */
	tasks: string[];
	seeds: { first: number; count: number };
	/** Arms that are decoded together. */
	batch: number;
	command: string;
}

/** What a sweep measures: by task its cells. */
export interface SweepPlan extends FoldPlan {
	tasks: (FoldPlan['tasks'][number] & { steps: number; batches: Cell[][] })[];
}

/** Settles the cells of every task. Methods without a budget are matched on the first text of each task. */
export async function planSweep(lab: Lab, options: SweepOptions): Promise<SweepPlan> {
	const { budgets, seeds, command } = options;
	const byBudget = budgetCells(options.methods, budgets);
	const { sized, leftOut } = sizedMethods(options.methods);
	const left = new Map(leftOut.map(({ method, why }) => [method, why]));
	const tasks: SweepPlan['tasks'] = [];
	for (const task of options.tasks) {
		const { options: given, steps } = SWEEP_TASKS[task];
		const cells = [...byBudget];
		if (sized.length) {
			const read = await readText(lab, { task, seed: seeds.first, options: given, steps }, sized.map(({ id }) => ({ complete: [readMethodSpec({ method: id })] })));
			const found = await sizedCells(read, sized, budgets);
			cells.push(...found.cells);
			for (const { method, why } of found.leftOut) left.set(method, why);
		}
		tasks.push({ task, options: given, steps, cells, batches: batchesOf(cells, options.batch) });
	}
	const { backend, precision, weights } = lab.engine;
	return {
		command, model: { id: lab.model.id, fingerprint: modelFingerprint(lab.loaded.decoder) }, engine: { backend, precision, ...(weights ? { weights } : {}) }, seeds, budgets,
		methods: options.methods.map(({ id, title, family }) => ({ id, title, family })), tasks,
		leftOut: [...left].map(([method, why]) => ({ method, why }))
	};
}

/** Arms that want to see attention at every step stand together, since seeing it costs the whole batch. */
function batchesOf(cells: readonly Cell[], size: number): Cell[][] {
	const watches = ({ complete }: Cell) => complete.some(({ method, params }) => registry.get(method)!.needs(params, () => ({})).stepAttention);
	const ordered = [...cells.filter((cell) => !watches(cell)), ...cells.filter(watches)];
	return Array.from({ length: Math.ceil(ordered.length / size) }, (_, i) => ordered.slice(i * size, (i + 1) * size));
}

/** How far a sweep has come. */
export interface Progress {
	result: TextResult;
	/** Texts that are done, of those that this part had to do when it began. */
	done: number;
	of: number;
}

/**
 * Measures what is missing, seed by seed, and gives back each batch of each text. `known` has the keys of what is
 * there already (`measured`). Of `part.of` parts this one takes every part.of-th seed.
 */
export async function* runSweep(lab: Lab, plan: SweepPlan, known: ReadonlySet<string>, part = { index: 1, of: 1 }, signal?: AbortSignal): AsyncGenerator<Progress> {
	const seeds = Array.from({ length: plan.seeds.count }, (_, i) => i).filter((i) => i % part.of === part.index - 1).map((i) => plan.seeds.first + i);
	const todo = seeds.flatMap((seed) => plan.tasks.map(({ task, options, steps, batches }) => ({
		spec: { task, seed, options, steps }, batches: batches.map((batch) => batch.filter((cell) => !known.has(measurementKey(task, seed, cell)))).filter((batch) => batch.length > 0)
	}))).filter(({ batches }) => batches.length > 0);
	for (const [done, { spec, batches }] of todo.entries()) {
		signal?.throwIfAborted();
		const read = await readText(lab, spec, batches.flat());
		const answer = await fullAnswer(read, spec.steps);
		let left = batches.length;
		for await (const result of measureText(read, spec, answer, batches, signal)) yield { result, done: done + Number(--left === 0), of: todo.length };
	}
}
