import { describe, expect, it } from 'vitest';
import { decodeLink, encodeLink } from '$lib/share/link.ts';
import { SWEEP_COLUMNS, type SweepDocument } from '$lib/documents/sweep.ts';
import type { MeasuredAgain } from '$lib/lab/sweep/again.ts';
import { cellsOf } from '$lib/views/compare/points.ts';
import type { LabClient } from '$lib/worker/client.ts';
import { Again } from './again.svelte.ts';
import { experimentOf, readAsked, recordedOf, sameNumbers, together, writeAsked } from './cell.ts';

const TABLE: SweepDocument = {
	version: 1, kind: 'sweep', command: 'x', model: { id: 'nano', fingerprint: 'abc' }, engine: { backend: 'wasm', precision: 'f32' }, seeds: { first: 7000, count: 2 }, budgets: [0.25],
	tasks: [{ task: 'needle', options: { length: 512 }, texts: 2, tokens: 512, steps: 5.5, full: 1 }], methods: [{ id: 'snapkv', title: 'SnapKV', family: 'eviction' }],
	stacks: [[{ method: 'snapkv', params: { budget: { fraction: 0.25 } } }]], columns: SWEEP_COLUMNS,
	rows: [[0, 0, 0.25, 0, 2, 0.15, 0.05, 0.1, 0.15, 0.2, 0.75, 0.25, 0.5, 0.5, 0.254, 0.26]], leftOut: []
};
const [CELL] = cellsOf(TABLE);
const text = (kl: number, agree: number, correct: boolean): MeasuredAgain => ({ tokens: 512, steps: 5, full: true, kl, agree, correct, share: 0.254, shareEnd: 0.26, answer: [3, 1], fingerprint: 'abc' });

describe('a cell in the lab', () => {
	it('is the text of its seed with its stack, and survives a link', () => {
		const experiment = experimentOf(TABLE, CELL, 7001, 8);
		expect(experiment).toMatchObject({ model: 'nano', prompt: { task: 'needle', seed: 7001, length: 512 }, generate: { tokens: 8, temperature: 0 }, arms: [{ label: 'SnapKV', stack: TABLE.stacks[0] }] });
		expect(experiment.forced).toBeUndefined();
		expect(decodeLink(encodeLink(experiment))).toEqual({ experiment, notices: [] });
		expect(experimentOf(TABLE, CELL, 7001, 8, [3, 1]).forced).toEqual({ tokens: [3, 1] });
	});
});

describe('measured beside recorded', () => {
	it('is the same mean with the same spread', () => {
		const here = together([text(0.1, 0.5, false), text(0.2, 1, true)]);
		expect(here.kl!.value).toBeCloseTo(0.15, 12);
		expect(here.kl!.se).toBeCloseTo(0.05, 12);
		expect(here.correct).toEqual({ value: 0.5, se: 0.5 });
		expect(sameNumbers(here, recordedOf(CELL))).toBe(true);
		expect(sameNumbers(together([text(0.1, 0.5, false), text(0.21, 1, true)]), recordedOf(CELL))).toBe(false);
	});
});

describe('the address', () => {
	it('keeps what was chosen, and nothing that is the page’s own choice', () => {
		const plain = readAsked('');
		expect(writeAsked(plain)).toBe('');
		const asked = readAsked('?task=chain&measure=kl&bytes=end&family=merging&at=snapkv%400.25');
		expect(asked).toEqual({ task: 'chain', measure: 'kl', moment: 'end', family: 'merging', at: 'snapkv@0.25', method: null });
		expect(readAsked(writeAsked(asked))).toEqual(asked);
		expect(readAsked('?measure=fame&method=quest')).toEqual({ ...plain, method: 'quest' });
	});
});

describe('running a cell again', () => {
	function client(measure: (seed: number) => Promise<MeasuredAgain>) {
		const calls = { loads: 0, disposed: 0 };
		const made = {
			load: async () => (calls.loads++, { engine: { backend: 'cpu' } }), dispose: () => void calls.disposed++, measure: ({ seed }: { seed: number }) => measure(seed)
		} as unknown as LabClient;
		return { calls, connect: async () => made };
	}
	const job = { model: 'nano', task: 'needle', options: { length: 512 }, stack: TABLE.stacks[0] };

	it('loads once and measures what is not there yet', async () => {
		const seen: number[] = [];
		const { calls, connect } = client(async (seed) => (seen.push(seed), text(seed, 1, true)));
		const again = new Again({ site: () => '', connect });
		await again.run({ ...job, seeds: [7001] });
		await again.run({ ...job, seeds: [7000, 7001] });
		expect(seen).toEqual([7001, 7000]);
		expect(again.results.map(({ seed, measured }) => [seed, measured.kl])).toEqual([[7001, 7001], [7000, 7000]]);
		expect([calls.loads, again.busy, again.doing, again.problem]).toEqual([1, false, '', '']);
		expect(again.backend).not.toBe('');
		again.clear();
		expect(again.results).toEqual([]);
	});
	it('says in a sentence what failed, and begins with a new thread after it', async () => {
		let broken = true;
		const { calls, connect } = client(async (seed) => {
			if (broken) throw new Error('The graphics device was lost.');
			return text(seed, 1, true);
		});
		const again = new Again({ site: () => '', connect });
		await again.run({ ...job, seeds: [7000] });
		expect(again.problem).toContain('The graphics device was lost.');
		expect([calls.disposed, again.busy]).toEqual([1, false]);
		broken = false;
		await again.run({ ...job, seeds: [7000] });
		expect([calls.loads, again.problem, again.results.length]).toEqual([2, '', 1]);
	});
	it('is stopped at once, and what comes too late is not shown', async () => {
		let finish: (measured: MeasuredAgain) => void = () => {};
		const { calls, connect } = client(() => new Promise((resolve) => (finish = resolve)));
		const again = new Again({ site: () => '', connect });
		const run = again.run({ ...job, seeds: [7000, 7001] });
		while (again.doing === '' || calls.loads === 0) await new Promise((resolve) => setTimeout(resolve));
		await new Promise((resolve) => setTimeout(resolve));
		again.stop();
		expect([again.busy, calls.disposed]).toEqual([false, 1]);
		finish(text(1, 1, true));
		await run;
		expect(again.results).toEqual([]);
	});
});
