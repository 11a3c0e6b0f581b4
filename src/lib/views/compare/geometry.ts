/** The scatter: true bytes across (log), quality up (KL on a log scale that runs downwards, so that up is better everywhere). Pure. */
import { scaleLinear, scaleLog } from 'd3-scale';
import { nats, percent, significant } from '$lib/ui/format.ts';
import type { AxisTick } from '$lib/ui/ruler.ts';
import { pointKey, type Measure, type Point } from './points.ts';

export interface Mark {
	point: Point;
	x: number;
	y: number;
	/** Ends of the whisker: one standard error better and worse. */
	better: number;
	worse: number;
}

export interface Label {
	key: string;
	text: string;
	x: number;
	y: number;
	/** The line from the label to its mark. */
	from: number;
	to: number;
	at: number;
}

export interface Scatter {
	width: number;
	height: number;
	left: number;
	right: number;
	top: number;
	bottom: number;
	marks: Mark[];
	labels: Label[];
	bytes: AxisTick[];
	values: { y: number; text: string }[];
	/** Where the budgets that were asked for lie. */
	asked: { budget: number; x: number }[];
	/** Where the full cache stands, if it is on the scale. */
	full: number | null;
}

/** KL below this is rounding. */
const LEAST_KL = 1e-7;
const SHARES = [0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2];

export function scatter(points: readonly Point[], options: {
	measure: Measure;
	budgets: readonly number[];
	/** The full cache's share of right answers, or null. */
	full: number | null;
	/** Points that carry their names, from left to right or not. */
	named: readonly { key: string; text: string }[];
	width: number;
	scale?: number;
}): Scatter {
	const { measure, budgets, full, named, width, scale = 1 } = options;
	const drawn = points.filter((point) => point[measure] !== null);
	const left = Math.round(54 * scale);
	const right = width - Math.round(14 * scale);
	const lane = Math.round(18 * scale);
	const shares = [...drawn.map(({ share }) => share), ...budgets];
	const x = scaleLog([Math.min(...shares) * 0.88, Math.max(...shares, 1) * 1.08], [left, right]);
	const names = lay(named.flatMap(({ key, text }) => {
		const point = drawn.find((each) => each.key === key);
		return point ? [{ key, text, at: x(point.share) }] : [];
	}), left, right, 7.2 * scale);
	const top = Math.max(0, ...names.map(({ row }) => row + 1)) * lane + Math.round(14 * scale);
	const bottom = top + Math.round((width < 520 ? 280 : 380) * scale);
	const y = valueScale(drawn, measure, full, top, bottom);
	const marks = drawn.map((point): Mark => {
		const { value, se } = point[measure]!;
		const sign = measure === 'kl' ? -1 : 1;
		return { point, x: x(point.share), y: y.at(value), better: y.at(value + sign * se), worse: y.at(value - sign * se) };
	});
	return {
		width, height: bottom + Math.round(46 * scale), left, right, top, bottom, marks,
		labels: names.map(({ key, text, x: middle, at, row }) => ({ key, text, x: middle, at, y: (row + 1) * lane - 4, from: (row + 1) * lane, to: marks.find(({ point }) => point.key === key)!.y - 8 })),
		bytes: SHARES.filter((share) => share >= x.domain()[0] && share <= x.domain()[1]).map((value) => ({ value, x: x(value), rank: 2, text: percent(value) })),
		values: y.ticks, asked: budgets.map((budget) => ({ budget, x: x(budget) })), full: full === null || measure !== 'correct' ? null : y.at(full)
	};
}

function valueScale(points: readonly Point[], measure: Measure, full: number | null, top: number, bottom: number) {
	const values = points.map((point) => point[measure]!);
	if (measure !== 'kl') {
		const least = Math.min(1, ...values.map(({ value, se }) => value - se), ...(full === null || measure !== 'correct' ? [] : [full]));
		const from = Math.max(0, Math.floor(least * 10) / 10);
		const linear = scaleLinear([Math.min(from, 0.9), 1], [bottom, top]).clamp(true);
		return { at: (value: number) => linear(value), ticks: linear.ticks(6).map((value) => ({ y: linear(value), text: percent(value) })) };
	}
	const positive = values.map(({ value }) => value).filter((value) => value > LEAST_KL);
	const [least, most] = positive.length ? [Math.min(...positive) * 0.7, Math.max(...values.map(({ value, se }) => value + se)) * 1.2] : [LEAST_KL, 1];
	const log = scaleLog([least, most], [top, bottom]).clamp(true);
	const decades = Math.log10(most / least);
	const shown = log.ticks().filter((value) => decades < 2.5 ? /^[125]/.test(value.toExponential()) : /^1(\.0*)?e/.test(value.toExponential()));
	return { at: (value: number) => log(Math.max(value, least)), ticks: shown.map((value) => ({ y: log(value), text: value < 0.01 ? significant(value, 1) : nats(value).replace(/\.?0+$/, '') })) };
}

/** Names stand above the picture, each in the first row where it covers no other. */
function lay(names: readonly { key: string; text: string; at: number }[], left: number, right: number, letter: number) {
	const rows: [number, number][][] = [];
	return [...names].sort((a, b) => a.at - b.at).map((name) => {
		const half = (name.text.length * letter) / 2;
		const x = Math.max(left + half, Math.min(right - half, name.at));
		const free = rows.findIndex((spans) => spans.every(([from, to]) => x + half + 6 < from || x - half - 6 > to));
		const row = free < 0 ? rows.push([]) - 1 : free;
		rows[row].push([x - half, x + half]);
		return { ...name, x, row };
	});
}

/** The mark nearest to a place, within `reach` pixels; its key. */
export function nearestMark(marks: readonly Mark[], x: number, y: number, reach = 18): string | null {
	let best: string | null = null;
	let least = reach;
	for (const mark of marks) {
		const away = Math.hypot(mark.x - x, mark.y - y);
		if (away <= least) [best, least] = [mark.point.key, away];
	}
	return best;
}

/**
 * Where an arrow key leads from a mark: left and right along the method's own budgets, up and down to the next better
 * or worse at the same budget, Home and End to the best and the worst there. Null when the key leads nowhere.
 */
export function stepTo(marks: readonly Mark[], from: string | null, key: string): string | null {
	if (!/^(Arrow|Home|End)/.test(key) || marks.length === 0) return null;
	const now = marks.find(({ point }) => point.key === from);
	if (!now) return [...marks].sort((a, b) => b.point.budget - a.point.budget || a.y - b.y)[0].point.key;
	const { id, budget } = now.point;
	const column = marks.filter(({ point }) => point.budget === budget).sort((a, b) => a.y - b.y || a.point.share - b.point.share || a.point.title.localeCompare(b.point.title));
	const at = column.indexOf(now);
	if (key === 'Home') return column[0].point.key;
	if (key === 'End') return column[column.length - 1].point.key;
	if (key === 'ArrowUp') return column[at - 1]?.point.key ?? null;
	if (key === 'ArrowDown') return column[at + 1]?.point.key ?? null;
	const own = [...new Set(marks.filter(({ point }) => point.id === id).map(({ point }) => point.budget))].sort((a, b) => a - b);
	const next = own[own.indexOf(budget) + (key === 'ArrowRight' ? 1 : -1)];
	return next === undefined ? null : pointKey(id, next);
}

/** The line through a method's marks, from few bytes to many. */
export function pathOf(marks: readonly Mark[], id: string): string {
	const own = marks.filter(({ point }) => point.id === id).sort((a, b) => a.x - b.x);
	return own.length > 1 ? own.map(({ x, y }, i) => `${i ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`).join('') : '';
}
