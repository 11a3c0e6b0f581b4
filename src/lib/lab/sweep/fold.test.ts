import { describe, expect, it } from 'vitest';
import { readSweep, SWEEP_COLUMNS, type SweepRow } from '$lib/documents/sweep.ts';
import { random } from '$lib/numerics/random.ts';
import { standardError } from '$lib/numerics/select.ts';
import { fold, type FoldPlan } from './fold.ts';
import type { CellResult, TextResult } from './measure.ts';

const stack = (method: string, fraction: number) => [{ method, params: { budget: { fraction } } }];
const CELLS = ['snapkv', 'knorm'].flatMap((method) => [0.5, 0.25].map((budget) => ({ method, budget, stack: stack(method, budget) })));
const PLAN: FoldPlan = {
	command: 'npm run winnow -- sweep', model: { id: 'made', fingerprint: '00000000' }, engine: { backend: 'cpu', precision: 'f32' }, seeds: { first: 5, count: 4 }, budgets: [0.5, 0.25],
	methods: [{ id: 'knorm', title: 'Knorm', family: 'eviction' }, { id: 'snapkv', title: 'SnapKV', family: 'eviction' }],
	tasks: [{ task: 'needle', options: { length: 40 }, cells: CELLS }, { task: 'story', options: {}, cells: CELLS }], leftOut: [{ method: 'other', why: 'It has no budget.' }]
};

/** Made-up measurements of every text and cell. */
function made(): TextResult[] {
	const rng = random('fold');
	return PLAN.tasks.flatMap(({ task, cells }) => [5, 6, 7, 8].map((seed): TextResult => ({
		task, seed, tokens: 40 + seed, steps: 6, full: task === 'story' ? null : seed !== 8,
		cells: cells.map((cell): CellResult => ({ ...cell, kl: rng.uniform(), agree: rng.uniform(), correct: task === 'story' ? null : rng.chance(0.5), share: cell.budget + 0.01, shareEnd: cell.budget }))
	})));
}
const column = (row: SweepRow, name: (typeof SWEEP_COLUMNS)[number]) => row[SWEEP_COLUMNS.indexOf(name)];

describe('fold', () => {
	it('gives means, standard errors and quartiles of each cell', () => {
		const results = made();
		const { document, missing } = fold(PLAN, results);
		expect(missing).toBe(0);
		expect(document.rows).toHaveLength(8);
		expect(document.tasks).toEqual([
			{ task: 'needle', options: { length: 40 }, texts: 4, tokens: 46.5, steps: 6, full: 0.75 }, { task: 'story', options: {}, texts: 4, tokens: 46.5, steps: 6, full: null }
		]);
		expect(document.stacks).toEqual([stack('snapkv', 0.5), stack('snapkv', 0.25), stack('knorm', 0.5), stack('knorm', 0.25)]);
		const row = document.rows[3];
		expect([column(row, 'task'), column(row, 'method'), column(row, 'budget'), column(row, 'stack'), column(row, 'texts')]).toEqual([0, 0, 0.25, 3, 4]);
		const kl = results.slice(0, 4).map(({ cells }) => cells[3].kl!).sort((a, b) => a - b);
		const mean = (kl[0] + kl[1] + kl[2] + kl[3]) / 4;
		const deviation = Math.sqrt(kl.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 3);
		expect(column(row, 'kl')).toBeCloseTo(mean, 4);
		expect(column(row, 'klSe')).toBeCloseTo(deviation / 2, 4);
		expect(column(row, 'klMedian')).toBeCloseTo((kl[1] + kl[2]) / 2, 4);
		expect(column(row, 'klQ1')).toBeCloseTo(kl[0] + 0.75 * (kl[1] - kl[0]), 4);
		expect(column(row, 'klQ3')).toBeCloseTo(kl[2] + 0.25 * (kl[3] - kl[2]), 4);
		expect(column(row, 'correct')).toBe(results.slice(0, 4).filter(({ cells }) => cells[3].correct).length / 4);
		expect([column(row, 'share'), column(row, 'shareEnd')]).toEqual([0.26, 0.25]);
		expect(document.rows.slice(4).every((each) => column(each, 'correct') === null && column(each, 'correctSe') === null)).toBe(true);
	});

	it('does not depend on the order, nor on measurements that come twice or belong to another sweep', () => {
		const results = made();
		const { document } = fold(PLAN, results);
		const split = results.flatMap((text) => text.cells.map((cell) => ({ ...text, cells: [cell] })));
		expect(fold(PLAN, random('order').shuffle(split)).document).toEqual(document);
		const foreign: TextResult[] = [
			{ ...results[0], seed: 4 }, { ...results[0], seed: 9 }, { ...results[0], task: 'copy' }, { ...results[0], cells: [{ ...results[0].cells[0], method: 'tova' }] }, results[0]
		];
		expect(fold(PLAN, [...results, ...foreign]).document).toEqual(document);
	});

	it('counts what is missing and shows what is there', () => {
		const results = made().slice(0, 3);
		const { document, missing } = fold(PLAN, results);
		expect(missing).toBe(2 * 4 * 4 - 3 * 4);
		expect(document.rows.map((row) => column(row, 'texts'))).toEqual([3, 3, 3, 3]);
		expect(document.tasks[1]).toMatchObject({ texts: 0, tokens: 0, full: null });
	});

	it('says why a method is not in the table', () => {
		const results = made().map((text) => ({ ...text, cells: text.cells.map((cell) => (cell.method === 'knorm' ? { method: cell.method, budget: cell.budget, stack: cell.stack, problem: 'It needs statistics.' } : cell)) }));
		const { document, missing } = fold(PLAN, results);
		expect(missing).toBe(0);
		expect(document.rows).toHaveLength(4);
		expect(document.leftOut).toEqual([{ method: 'other', why: 'It has no budget.' }, { method: 'knorm', why: 'It needs statistics.' }]);
	});

	it('is read again as it was written', () => {
		const { document } = fold(PLAN, made());
		expect(readSweep(JSON.parse(JSON.stringify(document)))).toEqual(document);
		expect(() => readSweep({ ...document, version: 2 })).toThrow('another version');
		expect(() => readSweep({ ...document, columns: ['task'] })).toThrow('another version');
		expect(() => readSweep(null)).toThrow('no table');
	});

	it('has a standard error of 0 where there is one text', () => {
		expect(standardError([3])).toBe(0);
		expect(standardError([1, 3])).toBe(1);
	});
});
