import { describe, expect, it } from 'vitest';
import { SWEEP_COLUMNS, type SweepDocument, type SweepRow } from '$lib/documents/sweep.ts';
import { nearestMark, pathOf, scatter, stepTo } from './geometry.ts';
import { markOf, FAMILIES } from './look.ts';
import { notesOf } from './notes.ts';
import { Pick } from './pick.svelte.ts';
import { fullCorrect, pointsOf, quality, type Point, type PointChoice } from './points.ts';
import { bestOfEach, rankAt } from './rank.ts';
import { fileTable, firstOrder, sortPoints } from './table.ts';

const ALL: PointChoice = { task: null, family: null, moment: 'prompt' };

/** task, method, budget, kl, agree, correct, share, share with the answer. */
type Short = [task: number, method: number, budget: number, kl: number, agree: number, correct: number | null, share: number, end?: number];

function made(rows: Short[], methods = ['a', 'b', 'c', 'd']): SweepDocument {
	const families = ['eviction', 'quantization', 'retrieval', 'merging'];
	return {
		version: 1, kind: 'sweep', command: 'x', model: { id: 'nano', fingerprint: '0' }, engine: { backend: 'wasm', precision: 'f32' }, seeds: { first: 5, count: 4 }, budgets: [0.5, 0.25],
		tasks: [{ task: 'needle', options: { length: 100 }, texts: 4, tokens: 100, steps: 5, full: 1 }, { task: 'story', options: {}, texts: 4, tokens: 80, steps: 24, full: null }],
		methods: methods.map((id, i) => ({ id, title: id.toUpperCase(), family: families[i] })), stacks: [[{ method: 'a', params: { budget: { fraction: 0.5 } } }]], columns: SWEEP_COLUMNS,
		rows: rows.map(([task, method, budget, kl, agree, correct, share, end = share]): SweepRow =>
			[task, method, budget, 0, 4, kl, kl / 10, kl / 2, kl, kl * 2, agree, 0.03, correct, correct === null ? null : 0.1, share, end]),
		leftOut: [{ method: 'd', why: 'It needs more.' }]
	};
}

describe('points', () => {
	const document = made([
		[0, 0, 0.5, 0.1, 0.9, 1, 0.5], [1, 0, 0.5, 0.3, 0.7, null, 0.54], [0, 1, 0.5, 0.2, 0.8, 0.5, 0.6], [0, 0, 0.25, 1, 0.5, 0, 0.25]
	]);
	it('are the mean over tasks only where a method was measured on all of them', () => {
		const { points, partial } = pointsOf(document, ALL);
		expect(points.map(({ key }) => key)).toEqual(['a@0.5']);
		expect(partial).toBe(2);
		const [point] = points;
		expect(point.kl.value).toBeCloseTo(0.2, 12);
		expect(point.kl.se).toBeCloseTo(Math.sqrt(0.01 ** 2 + 0.03 ** 2) / 2, 12);
		expect(point.share).toBeCloseTo(0.52, 12);
		// The story has no right answer and does not count as a wrong one.
		expect(point.correct).toEqual({ value: 1, se: 0.1 });
		expect(point.texts).toBe(8);
	});
	it('are those of one task, one family, one moment', () => {
		expect(pointsOf(document, { ...ALL, task: 0 }).points.map(({ key }) => key)).toEqual(['a@0.5', 'b@0.5', 'a@0.25']);
		expect(pointsOf(document, { ...ALL, task: 0, family: 'quantization' }).points.map(({ id }) => id)).toEqual(['b']);
		expect(pointsOf(made([[0, 0, 0.5, 0, 1, 1, 1, 0.7]]), { ...ALL, task: 0, moment: 'end' }).points[0].share).toBe(0.7);
		expect(pointsOf(document, { ...ALL, task: 1 }).points[0].correct).toBeNull();
	});
	it('know what the full cache answers', () => {
		expect(fullCorrect(document, null)).toBe(1);
		expect(fullCorrect(document, 1)).toBeNull();
	});
});

describe('the order at equal bytes', () => {
	const points = pointsOf(made([
		[0, 0, 0.5, 0.1, 0.9, 1, 0.5], [0, 1, 0.5, 0.2, 0.8, 0.5, 0.509], [0, 2, 0.5, 0.05, 0.95, 1, 0.6], [0, 3, 0.5, 0.3, 0.99, 0.9, 0.49]
	]), { ...ALL, task: 0 }).points;
	it('holds the largest group within 2 % and names the others with what they miss it by', () => {
		const order = rankAt(points, 0.5, 'correct');
		expect(order.ranked.map(({ point, place, level }) => [point.id, place, level])).toEqual([['a', 1, true], ['b', 2, false]]);
		expect(order.fair.ok).toBe(true);
		expect(order.refused.map(({ point }) => point.id)).toEqual(['d', 'c']);
		expect(order.refused[0].off).toBeCloseTo(-100 * (0.509 / 0.49 - 1), 9);
		expect(order.refused[1].off).toBeCloseTo(20, 9);
		for (const { off } of order.refused) expect(Math.abs(off)).toBeGreaterThan(2);
	});
	it('holds all when told to, and says that it is unfair', () => {
		const order = rankAt(points, 0.5, 'correct', true);
		expect(order.ranked.map(({ point, place }) => [point.id, place])).toEqual([['a', 1], ['c', 1], ['d', 3], ['b', 4]]);
		expect(order.refused).toEqual([]);
		expect(order.fair.ok).toBe(false);
		expect(order.fair.difference).toBeCloseTo(100 * (0.6 / 0.49 - 1), 9);
	});
	it('takes less KL for better, and leaves out what has no number', () => {
		expect(rankAt(points, 0.5, 'kl', true).ranked[0].point.id).toBe('c');
		const story = pointsOf(made([[1, 0, 0.5, 0.1, 0.9, null, 0.5]]), { ...ALL, task: 1 }).points;
		expect(rankAt(story, 0.5, 'correct')).toMatchObject({ ranked: [], refused: [], shares: null });
		expect(quality(story[0], 'correct')).toBeNaN();
	});
	it('has a best at each budget, but none where nobody is right', () => {
		expect(bestOfEach(points, [0.5, 0.25], 'correct')).toMatchObject([{ budget: 0.5, point: { id: 'a' }, others: 0 }]);
		expect(bestOfEach(pointsOf(made([[0, 0, 0.5, 9, 0, 0, 0.5]]), { ...ALL, task: 0 }).points, [0.5], 'correct')).toEqual([]);
	});
});

describe('notes', () => {
	it('say who does nothing, who acts later, whose bytes stay, and who is missing', () => {
		const notes = notesOf(made([
			[0, 0, 0.5, 0, 1, 1, 1.06], [1, 0, 0.5, 0, 1, null, 1.06],
			[0, 1, 0.5, 0, 1, 1, 1, 1], [1, 1, 0.5, 0.2, 0.9, null, 1, 0.6],
			[0, 2, 0.5, 0.01, 1, 1, 1.04], [0, 2, 0.25, 0.02, 1, 1, 1.05],
			[0, 3, 0.5, 0.1, 0.9, 1, 0.5]
		]));
		expect(notes).toEqual({
			idle: ['A'], later: [{ title: 'B', idleOn: ['needle'] }], unshrunk: [{ title: 'C', least: 1.04, most: 1.05 }], short: 0, leftOut: [{ title: 'D', why: 'It needs more.' }]
		});
	});
	it('do not call a method idle that changes a word while it stores everything', () => {
		expect(notesOf(made([[0, 0, 0.5, 0.5, 0.8, 1, 1]])).idle).toEqual([]);
	});
});

describe('the scatter', () => {
	const points = pointsOf(made([
		[0, 0, 0.5, 0.1, 0.9, 1, 0.5], [0, 0, 0.25, 0.4, 0.7, 0.5, 0.25], [0, 1, 0.5, 0, 1, 1, 0.52], [0, 2, 0.5, 3, 0.2, 0, 1.04]
	]), { ...ALL, task: 0 }).points;
	const plot = (measure: 'correct' | 'agree' | 'kl', named: { key: string; text: string }[] = []) => scatter(points, { measure, budgets: [0.5, 0.25], full: 1, named, width: 800 });
	const at = (marks: ReturnType<typeof plot>['marks'], key: string) => marks.find(({ point }) => point.key === key)!;

	it.each(['correct', 'agree', 'kl'] as const)('has better above worse and more bytes to the right: %s', (measure) => {
		const { marks, left, right, top, bottom } = plot(measure);
		for (const a of marks) {
			expect(a.x).toBeGreaterThanOrEqual(left);
			expect(a.x).toBeLessThanOrEqual(right);
			for (const y of [a.y, a.better, a.worse]) {
				expect(y).toBeGreaterThanOrEqual(top);
				expect(y).toBeLessThanOrEqual(bottom);
			}
			expect(a.better).toBeLessThanOrEqual(a.y);
			expect(a.worse).toBeGreaterThanOrEqual(a.y);
			for (const b of marks) {
				if (quality(a.point, measure) > quality(b.point, measure)) expect(a.y).toBeLessThan(b.y);
				if (a.point.share > b.point.share) expect(a.x).toBeGreaterThan(b.x);
			}
		}
	});
	it('labels stand apart, above all marks', () => {
		const { labels, top } = plot('correct', [{ key: 'a@0.5', text: 'A rather long name' }, { key: 'b@0.5', text: 'Another long name' }, { key: 'no@1', text: 'x' }]);
		expect(labels).toHaveLength(2);
		expect(new Set(labels.map(({ y }) => y)).size).toBe(2);
		for (const label of labels) expect(label.from).toBeLessThan(top);
	});
	it('arrows go along a method and up and down a budget', () => {
		const { marks } = plot('agree');
		expect(stepTo(marks, null, 'ArrowRight')).toBe('b@0.5');
		expect(stepTo(marks, 'a@0.5', 'ArrowLeft')).toBe('a@0.25');
		expect(stepTo(marks, 'a@0.25', 'ArrowLeft')).toBeNull();
		expect(stepTo(marks, 'a@0.25', 'ArrowRight')).toBe('a@0.5');
		expect(stepTo(marks, 'a@0.5', 'ArrowUp')).toBe('b@0.5');
		expect(stepTo(marks, 'a@0.5', 'ArrowDown')).toBe('c@0.5');
		expect(stepTo(marks, 'c@0.5', 'Home')).toBe('b@0.5');
		expect(stepTo(marks, 'b@0.5', 'End')).toBe('c@0.5');
		expect(stepTo(marks, 'b@0.5', 'Tab')).toBeNull();
	});
	it('the pointer finds the nearest mark, and none far away', () => {
		const { marks } = plot('agree');
		const mark = at(marks, 'c@0.5');
		expect(nearestMark(marks, mark.x + 3, mark.y - 2)).toBe('c@0.5');
		expect(nearestMark(marks, mark.x, mark.y - 60)).toBeNull();
		expect(pathOf(marks, 'a')).toMatch(/^M.+L/);
		expect(pathOf(marks, 'b')).toBe('');
	});
});

describe('the table', () => {
	const points: Point[] = pointsOf(made([[0, 1, 0.5, 0.2, 0.8, 0.5, 0.6], [0, 0, 0.25, 1, 0.5, 0, 0.25], [0, 0, 0.5, 0.1, 0.9, 1, 0.5]]), { ...ALL, task: 0 }).points;
	const keys = (order: Parameters<typeof sortPoints>[1]) => sortPoints(points, order).map(({ key }) => key);
	it('is sorted by any column, both ways', () => {
		expect(keys(firstOrder('kl'))).toEqual(['a@0.5', 'b@0.5', 'a@0.25']);
		expect(keys(firstOrder('correct'))).toEqual(['a@0.5', 'b@0.5', 'a@0.25']);
		expect(keys({ column: 'share', descending: true })).toEqual(['b@0.5', 'a@0.5', 'a@0.25']);
		expect(keys(firstOrder('method'))).toEqual(['a@0.5', 'a@0.25', 'b@0.5']);
	});
	it('has what is missing last, both ways', () => {
		const some = points.map((point, i) => (i === 0 ? { ...point, correct: null } : point));
		for (const descending of [true, false]) expect(sortPoints(some, { column: 'correct', descending }).at(-1)!.key).toBe('b@0.5');
	});
	it('goes into a file with all numbers and the settings', () => {
		const { columns, rows } = fileTable(points, 'x', () => 'needle');
		for (const row of rows) expect(row).toHaveLength(columns.length);
		expect(rows[2][columns.length - 1]).toBe('a budget {"fraction":0.5}');
	});
});

describe('what is looked at', () => {
	it('is the hover before the lock, and Escape clears it', () => {
		const pick = new Pick();
		pick.method = 'b';
		expect(pick.nowMethod).toBe('b');
		pick.toggle('a@0.5');
		pick.hover('b@0.5');
		expect([pick.now, pick.locked, pick.nowMethod]).toEqual(['b@0.5', 'a@0.5', 'b']);
		pick.hover(null);
		expect(pick.nowMethod).toBe('a');
		pick.toggle('a@0.5');
		expect(pick.now).toBeNull();
		pick.lock('a@0.5');
		expect([pick.clear(), pick.clear()]).toEqual([true, false]);
	});
});

it('families differ in shape and in colour', () => {
	const marks = FAMILIES.map((family) => markOf(family));
	expect(new Set(marks.map(({ d }) => d)).size).toBe(FAMILIES.length);
	expect(new Set(marks.map(({ color }) => color)).size).toBe(FAMILIES.length);
});
