import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { methods } from '$lib/methods/registry.ts';
import type { Lab } from '../lab.ts';
import { tinyLab } from '../testing.ts';
import { measureAgain } from './again.ts';
import { fold } from './fold.ts';
import { planSweep, runSweep, type SweepPlan } from './run.ts';
import type { TextResult } from './measure.ts';

let lab: Lab;
beforeAll(async () => {
	lab = await tinyLab('wasm');
});
afterAll(() => lab.dispose());

describe('a cell measured again', () => {
	it('has the numbers of the table that it comes from', async () => {
		const options = { methods: [methods.get('knorm')!, methods.get('streaming-llm')!], budgets: [0.5, 0.2], tasks: ['story'], seeds: { first: 3, count: 1 }, batch: 4, command: 'x' };
		const asked = await planSweep(lab, options);
		// The tiny model reads less than the real tasks.
		const plan: SweepPlan = { ...asked, tasks: [{ ...asked.tasks[0], options: { length: 60 } }] };
		const results: TextResult[] = [];
		for await (const { result } of runSweep(lab, plan, new Set())) results.push(result);
		const { rows, stacks, tasks } = fold(plan, results).document;
		expect(rows).toHaveLength(4);
		for (const [task, , , stack, , kl, , , , , agree, , correct, , share, shareEnd] of rows) {
			const again = await measureAgain(lab, { task: tasks[task].task, options: tasks[task].options, seed: 3, stack: stacks[stack] });
			expect(again.steps).toBe(24);
			expect(again.answer).toHaveLength(24);
			expect(again.fingerprint).toBe(plan.model.fingerprint);
			expect(again.correct).toBe(correct);
			for (const [mine, theirs] of [[again.kl, kl], [again.agree, agree], [again.share, share], [again.shareEnd, shareEnd]]) expect(mine).toBeCloseTo(theirs, 3);
		}
	});

	it('is refused in a sentence where there is no such task or stack', async () => {
		const cell = { task: 'story', options: { length: 60 }, seed: 3, stack: [{ method: 'knorm' }] };
		await expect(measureAgain(lab, { ...cell, task: 'sudoku' })).rejects.toThrow('found sudoku');
		await expect(measureAgain(lab, { ...cell, stack: [{ method: 'nothing-such' }] })).rejects.toThrow('nothing-such');
	});
});
