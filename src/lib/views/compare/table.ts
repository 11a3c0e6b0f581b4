/** The points as a table: its columns, how they are sorted, and the numbers for a file. Pure. */
import type { MethodSpec } from '$lib/documents/experiment.ts';
import type { Table } from '$lib/ui/table.ts';
import { words } from '$lib/ui/words/index.ts';
import { familyName } from './look.ts';
import type { Point } from './points.ts';

export const COLUMNS = ['method', 'family', 'budget', 'share', 'correct', 'agree', 'kl'] as const;
export type Column = (typeof COLUMNS)[number];

export interface Order {
	column: Column;
	descending: boolean;
}

/** What a first click sorts by: the best first, names from A. */
export const firstOrder = (column: Column): Order => ({ column, descending: ['budget', 'correct', 'agree'].includes(column) });

function keyOf(point: Point, column: Column): string | number | null {
	switch (column) {
		case 'method': return point.title;
		case 'family': return familyName(point.family);
		case 'budget': return point.budget;
		case 'share': return point.share;
		default: return point[column]?.value ?? null;
	}
}

/** Sorted anew; what has no number stands last either way, and equals by name and then by budget. */
export function sortPoints(points: readonly Point[], { column, descending }: Order): Point[] {
	const sign = descending ? -1 : 1;
	return [...points].sort((a, b) => {
		const [x, y] = [keyOf(a, column), keyOf(b, column)];
		if (x === null || y === null) return Number(x === null) - Number(y === null);
		const way = typeof x === 'string' ? x.localeCompare(String(y)) : x - Number(y);
		return sign * way || a.title.localeCompare(b.title) || b.budget - a.budget;
	});
}

/** The parameters of a stack as few words: `budget {"fraction":0.25}`. */
export function settingOf(stack: readonly MethodSpec[]): string {
	return stack.map(({ method, params = {} }) => [method, ...Object.entries(params).map(([name, value]) => `${name} ${JSON.stringify(value)}`)].join(' ')).join(', ');
}

/** Everything that is drawn, in full precision; settings that differ by task are named with it. */
export function fileTable(points: readonly Point[], caption: string, taskOf: (task: number) => string): Table {
	return {
		caption, columns: words.compare.file.columns,
		rows: points.map((point) => [
			point.title, point.id, familyName(point.family), point.budget, point.share, point.texts,
			point.correct?.value ?? '', point.correct?.se ?? '', point.agree.value, point.agree.se, point.kl.value, point.kl.se, settings(point, taskOf)
		])
	};
}

function settings({ cells }: Point, taskOf: (task: number) => string): string {
	const all = cells.map(({ stack }) => settingOf(stack));
	return all.every((each) => each === all[0]) ? all[0] : cells.map(({ task }, i) => `${taskOf(task)}: ${all[i]}`).join('; ');
}
