import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SWEEP_COLUMNS } from '$lib/documents/sweep.ts';
import { methods } from '$lib/methods/registry.ts';
import type { Lab } from '../lab.ts';
import { experiment, tinyLab } from '../testing.ts';
import { fold, measured } from './fold.ts';
import { fullAnswer, measureText, readText, type TextResult } from './measure.ts';
import { planSweep, runSweep, type SweepPlan } from './run.ts';
import { readWork, workHeader } from './work.ts';

let lab: Lab;
beforeAll(async () => {
	lab = await tinyLab('wasm');
});
afterAll(() => lab.dispose());

const some = (...ids: string[]) => ids.map((id) => methods.get(id)!);
const TASK = { task: 'needle', options: { length: 160 }, steps: 7 };

/** A plan over short texts; the real tasks are too long for the tiny model. */
async function smallPlan(): Promise<SweepPlan> {
	const plan = await planSweep(lab, { methods: some('knorm', 'tova', 'streaming-llm'), budgets: [0.5, 0.2], tasks: ['copy'], seeds: { first: 3, count: 2 }, batch: 2, command: 'x' });
	const [task] = plan.tasks;
	return { ...plan, tasks: [{ ...task, ...TASK }, { ...task, task: 'story', options: { length: 60 }, steps: 4 }] };
}

async function lines(plan: SweepPlan, known: TextResult[], stopAfter = Infinity, part = { index: 1, of: 1 }): Promise<TextResult[]> {
	const stop = new AbortController();
	const found: TextResult[] = [];
	try {
		for await (const { result } of runSweep(lab, plan, new Set(measured(plan, known).keys()), part, stop.signal)) {
			found.push(result);
			if (found.length >= stopAfter) stop.abort();
		}
	} catch (error) {
		if (!stop.signal.aborted) throw error;
	}
	return found;
}

describe('a sweep', () => {
	it('that is stopped after any number of lines and goes on gives the same table', async () => {
		const plan = await smallPlan();
		const whole = await lines(plan, []);
		expect(whole).toHaveLength(2 * 2 * 3);
		const table = fold(plan, whole);
		expect(table.missing).toBe(0);
		expect(table.document.rows).toHaveLength(2 * 6);
		for (const k of [1, 4, 11]) {
			const before = await lines(plan, [], k);
			expect(before).toHaveLength(k);
			const after = await lines(plan, before);
			expect(after).toHaveLength(12 - k);
			expect(fold(plan, [...before, ...after])).toEqual(table);
		}
		const [even, odd] = [await lines(plan, [], Infinity, { index: 1, of: 2 }), await lines(plan, [], Infinity, { index: 2, of: 2 })];
		expect(new Set(even.map(({ seed }) => seed))).toEqual(new Set([3]));
		expect(fold(plan, [...odd, ...even])).toEqual(table);
	});

	it('measures what a run measures: KL, agreement and bytes with the answer forced, the answer of a free run', async () => {
		const plan = await smallPlan();
		const { options, batches } = plan.tasks[0];
		const cells = batches.flat();
		const spec = { ...TASK, options, seed: 3 };
		const read = await readText(lab, spec, cells);
		const answer = await fullAnswer(read, spec.steps);
		const results: TextResult[] = [];
		for await (const result of measureText(read, spec, answer, [cells])) results.push(result);
		const prompt = { task: TASK.task, seed: 3, ...options };
		expect(answer.tokens.length).toBeGreaterThan(2);
		const arms = cells.map(({ stack }) => ({ stack: stack as never }));
		const forced = await lab.start(experiment({ prompt, arms, forced: { tokens: answer.tokens } }));
		await forced.advance();
		const free = await lab.start(experiment({ prompt, arms, generate: { tokens: spec.steps } }));
		await free.advance();
		forced.dispose();
		free.dispose();
		expect(free.trace.reference.steps.slice(0, answer.tokens.length).map(({ token }) => token)).toEqual(answer.tokens);
		forced.trace.arms.forEach((arm, i) => {
			const got = results[0].cells[i];
			const steps = arm.steps.length;
			expect(got.kl).toBeCloseTo(arm.steps.reduce((sum, { kl }) => sum + kl, 0) / steps, 6);
			expect(got.agree).toBeCloseTo(arm.steps.filter(({ agrees }) => agrees).length / steps, 9);
			expect(got.share).toBeCloseTo(1 / arm.billAfterPrompt.ratio, 12);
			expect(got.shareEnd).toBeCloseTo(1 / arm.steps.at(-1)!.bill.ratio, 9);
			expect(got.correct).toBe(free.trace.arms[i].task!.correct);
		});
	});

	it('sets quantizers and planes to the nearest bytes, each setting once', async () => {
		const plan = await planSweep(lab, { methods: some('rtn', 'kivi', 'svd-truncation', 'quest', 'knorm'), budgets: [0.5, 0.25, 0.06], tasks: ['copy'], seeds: { first: 3, count: 1 }, batch: 4, command: 'x' });
		const cells = plan.tasks[0].cells;
		const of = (id: string) => cells.filter(({ method }) => method === id);
		expect(of('knorm').map(({ budget }) => budget)).toEqual([0.5, 0.25, 0.06]);
		expect(of('rtn').length).toBeGreaterThan(1);
		expect(new Set(cells.map(({ stack }) => JSON.stringify(stack))).size).toBe(cells.length);
		// The tiny model's 16 channels do not hold KIVI's groups of 32: the reason stands in the table, or its cells do.
		expect(of('kivi').length + plan.leftOut.filter(({ method }) => method === 'kivi').length).toBeGreaterThan(0);
	});

	it('leaves out methods without a size, with the reason', async () => {
		const none = { ...methods.get('knorm')!, id: 'none', params: {} };
		const plan = await planSweep(lab, { methods: [none], budgets: [0.5], tasks: [], seeds: { first: 3, count: 1 }, batch: 4, command: 'x' });
		expect(plan.leftOut).toEqual([{ method: 'none', why: 'It has no budget and no other parameter that decides its bytes.' }]);
	});
});

describe('a work file', () => {
	const header = workHeader({ model: { id: 'a', fingerprint: '1' }, engine: { backend: 'cpu', precision: 'f32' } }, {});
	const line = JSON.stringify({ task: 'copy', seed: 1, tokens: 3, steps: 2, full: true, cells: [] });
	it('gives back its lines, without one that was not finished', () => {
		expect(readWork(`${header}\n${line}\n${line}\n{"task":"co`, header)).toHaveLength(2);
		expect(readWork(`${header}\n`, header)).toEqual([]);
		expect(readWork(header.slice(0, 20), header)).toEqual([]);
		expect(readWork('', header)).toEqual([]);
	});
	it('of another sweep is refused, and so is a damaged one', () => {
		expect(() => readWork(`${header.replace('"1"', '"2"')}\n${line}\n`, header)).toThrow('another model');
		expect(() => readWork(`${header}\n${line}\nx\n${line}\n`, header)).toThrow('damaged in line 3');
	});
});

it('the columns are named once each', () => {
	expect(new Set(SWEEP_COLUMNS).size).toBe(SWEEP_COLUMNS.length);
});
