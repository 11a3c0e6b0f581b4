/**
 * The next word: paired bars of what the full cache would say and what the arm says, at one step.
 * Both rows were fed the same tokens, so the two distributions may be compared.
 */
import type { ArmStepTrace } from '$lib/documents/trace.ts';

export interface WordRow {
	/** Token id; -1 for everything that is not listed. */
	id: number;
	text: string;
	/** Probability with the full cache; null when the record only says that it is at most `fullAtMost`. */
	full: number | null;
	/** Upper bound of `full` where it is not recorded. */
	fullAtMost?: number;
	/** Probability in the arm; null when it was not recorded. */
	arm: number | null;
	/** The full cache's most likely word. */
	fullBest: boolean;
	/** The arm's most likely word. */
	armBest: boolean;
	/** The arm's most likely word, and not the full cache's: what changed. */
	changed: boolean;
	/** The token that the arm really took. */
	taken: boolean;
}

export interface NextWord {
	rows: WordRow[];
	/** Largest probability drawn, for the axis: 1 at most, never under 0.1. */
	limit: number;
	/** True when both say the same most likely word. */
	agrees: boolean;
	kl: number;
}

/** `words` candidates of the full cache, the arm's own first word if it is not among them, and the rest. */
export function nextWord(step: ArmStepTrace, words = 4): NextWord {
	const best = step.fullTop[0]?.id;
	const own = step.top[0];
	const listed = step.fullTop.slice(0, words).map((candidate, i) => ({ candidate, arm: step.pOfFullTop[i] ?? null }));
	const row = (id: number, text: string, full: number | null, arm: number | null): WordRow => ({
		id,
		text,
		full,
		arm,
		fullBest: id === best,
		armBest: own !== undefined && id === own.id,
		changed: own !== undefined && id === own.id && id !== best,
		taken: id === step.token
	});
	const rows = listed.map(({ candidate, arm }) => row(candidate.id, candidate.text, candidate.p, arm));
	for (const extra of [own, step.top.find((candidate) => candidate.id === step.token)]) {
		if (!extra || rows.some((r) => r.id === extra.id)) continue;
		rows.push(beyondTheList(step, row(extra.id, extra.text, null, extra.p)));
	}
	const sum = (values: (number | null)[]) => values.reduce<number>((total, v) => total + (v ?? 0), 0);
	const rest = row(-1, '', Math.max(0, 1 - sum(rows.map((r) => r.full))), Math.max(0, 1 - sum(rows.map((r) => r.arm))));
	rows.push({ ...rest, fullBest: false, armBest: false, changed: false, taken: false });
	const limit = Math.max(0.1, ...rows.flatMap((r) => [r.full ?? 0, r.arm ?? 0]));
	return { rows, limit: Math.min(1, limit), agrees: best === own?.id, kl: step.kl };
}

/** A word outside the drawn list: its full-cache probability if recorded further down, else a bound. */
function beyondTheList(step: ArmStepTrace, row: WordRow): WordRow {
	const at = step.fullTop.findIndex((candidate) => candidate.id === row.id);
	if (at >= 0) return { ...row, full: step.fullTop[at].p };
	const least = step.fullTop[step.fullTop.length - 1]?.p;
	return least === undefined ? row : { ...row, fullAtMost: least };
}

/** Numbers on the bar chart: y of each pair and the bars' lengths in px. */
export interface WordBar extends WordRow {
	y: number;
	fullLength: number;
	armLength: number;
	/** Where the number after the longer bar starts. */
	labelX: number;
}

export interface WordLayout {
	width: number;
	height: number;
	/** x of probability 0. */
	left: number;
	rowHeight: number;
	bars: WordBar[];
	ticks: { x: number; value: number }[];
	axisY: number;
}

/** Lays the rows out in `width` px; `gutter` for the words, `tail` for the numbers. */
export function wordLayout(next: NextWord, width: number, scale = 1): WordLayout {
	const gutter = Math.min(Math.round(width * 0.26), Math.round(112 * scale));
	const tail = Math.round(106 * scale);
	const span = Math.max(20, width - gutter - tail);
	const rowHeight = Math.round(30 * scale);
	const x = (p: number) => (p / next.limit) * span;
	const bars = next.rows.map((row, i) => {
		const fullLength = row.full === null ? 0 : Math.max(1.5, x(row.full));
		const armLength = row.arm === null ? 0 : Math.max(1.5, x(row.arm));
		return { ...row, y: i * rowHeight, fullLength, armLength, labelX: gutter + Math.max(fullLength, armLength, x(row.fullAtMost ?? 0)) + 8 };
	});
	const axisY = next.rows.length * rowHeight + 2;
	const ticks = [0, next.limit / 2, next.limit].map((value) => ({ x: gutter + x(value), value }));
	return { width, height: axisY + Math.round(24 * scale), left: gutter, rowHeight, bars, ticks, axisY };
}
