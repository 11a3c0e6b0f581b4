/**
 * What changed: KL lines and words on the time ruler. Pure: trace and width in, marks out.
 * Column i is step i; KL is drawn on a log scale whose floor also holds every value below it.
 */
import { line as d3line } from 'd3-shape';
import { scaleLog } from 'd3-scale';
import { firstDivergence, firstDisagreement, stepsDone } from '$lib/documents/read.ts';
import type { ArmTrace, Trace } from '$lib/documents/trace.ts';
import { wordToken } from '$lib/ui/format.ts';

export type WordKind = 'reference' | 'same' | 'first' | 'after' | 'other';

export interface WordMark {
	step: number;
	text: string;
	/** The whole token where `text` had to be cut. */
	full: string;
	kind: WordKind;
	x: number;
	size: number;
}

export interface RowMark {
	/** -1 for the full cache. */
	arm: number;
	/** Top of the row. */
	y: number;
	words: WordMark[];
}

export interface KlLine {
	arm: number;
	d: string;
	label: { x: number; y: number } | null;
}

export interface ScoreOptions {
	/** Pixels right of the label gutter. */
	width: number;
	presenter: boolean;
	phone: boolean;
	large?: boolean;
}

export interface Score {
	width: number;
	/** Right end of the ruler; the rest is room for the playhead. */
	end: number;
	height: number;
	column: number;
	columns: number;
	/** Steps that are there. */
	done: number;
	/** Height of the KL strip; 0 when it is not drawn. */
	strip: number;
	klTicks: { value: number; y: number }[];
	lines: KlLine[];
	rulerY: number;
	rowHeight: number;
	rows: RowMark[];
	/** Left edge of a step's column. */
	x(step: number): number;
	/** Step and row under a place; null outside. */
	at(x: number, y: number): { step: number; arm: number } | null;
}

const KL_FLOOR = 1e-4;
/** Room right of the last column for half a playhead. */
const PAD = 12;

/** Steps that the run may take. */
export function plannedSteps(trace: Trace): number {
	const { forced, generate } = trace.experiment;
	if (trace.done) return Math.max(1, stepsDone(trace));
	if (forced !== undefined) return Math.max(1, typeof forced === 'string' ? stepsDone(trace) : forced.tokens.length);
	return Math.max(1, generate.tokens, stepsDone(trace));
}

/** The step from which an arm's words are its own: what it wrote, or with forced words would have written. */
export function leaves(trace: Trace, arm: ArmTrace): number | null {
	return trace.experiment.forced === undefined ? firstDivergence(trace, arm) : firstDisagreement(arm);
}

/** The text an arm shows at a step: the token it took; with forced words the one it would have taken. */
export function wordOf(trace: Trace, arm: ArmTrace, step: number): string {
	const at = arm.steps[step];
	return trace.experiment.forced === undefined ? at.text : (at.top[0]?.text ?? at.text);
}

function fitWord(text: string, room: number, size: number): { text: string; size: number } {
	const word = wordToken(text);
	const wide = (s: string, px: number) => [...s].length * px * 0.52;
	if (wide(word, size) <= room) return { text: word, size };
	const smaller = Math.max(13, Math.floor((size * room) / wide(word, size)));
	if (wide(word, smaller) <= room) return { text: word, size: smaller };
	const letters = Math.max(1, Math.floor(room / (smaller * 0.52)) - 1);
	return { text: `${[...word].slice(0, letters).join('')}…`, size: smaller };
}

function klLines(trace: Trace, x: (step: number) => number, column: number, height: number): { ticks: Score['klTicks']; lines: KlLine[] } {
	const values = trace.arms.map((arm) => arm.steps.map((s) => Math.max(KL_FLOOR, s.kl)));
	const all = values.flat();
	const low = Math.max(KL_FLOOR, 10 ** Math.floor(Math.log10(Math.min(0.01, ...all))));
	const high = 10 ** Math.ceil(Math.log10(Math.max(1, ...all)) + 1e-9);
	const y = scaleLog().domain([low, high]).range([height - 12, 14]).clamp(true);
	const ticks = [];
	for (let v = low; v <= high * 1.001; v *= 10) ticks.push({ value: v, y: y(v) });
	const draw = d3line<number>((_, i) => x(i) + column / 2, (v) => y(v));
	const lines = values.map((series, arm) => {
		if (!series.length) return { arm, d: '', label: null };
		// The label stands where this line is farthest from the others.
		let best = { step: 0, gap: -1, below: false };
		series.forEach((v, step) => {
			const others = values.filter((_, k) => k !== arm).map((o) => o[step]).filter((o) => o !== undefined).map(y);
			const nearest = others.reduce((near, o) => (Math.abs(o - y(v)) < Math.abs(near - y(v)) ? o : near), Infinity);
			const gap = Math.min(60, Math.abs(nearest - y(v))) - step * 0.05;
			if (gap > best.gap) best = { step, gap, below: nearest < y(v) };
		});
		const top = y(series[best.step]);
		const down = best.below ? top + 15 < height - 2 : top - 8 < 10;
		return { arm, d: draw(series) ?? '', label: { x: x(best.step) + column / 2 + 8, y: down ? top + 15 : top - 5 } };
	});
	return { ticks, lines };
}

export function scoreGeometry(trace: Trace, { width, presenter, phone, large = false }: ScoreOptions): Score {
	const columns = plannedSteps(trace);
	const least = presenter ? 96 : phone ? 52 : 60;
	// Where not all fit, a whole number of columns fills the room.
	const fitting = Math.max(1, Math.floor(width / least));
	const column = (width - PAD) / columns >= least ? Math.min(presenter ? 140 : 118, (width - PAD) / columns) : Math.max(least, width / fitting);
	const strip = presenter ? 0 : large ? 240 : phone ? 92 : 118;
	const rowHeight = presenter ? 43 : phone ? 32 : 31;
	const size = presenter ? 26 : phone ? 16 : 18;
	// The playhead stands on the ruler: without a strip above it needs room of its own.
	const rulerY = strip ? strip + 4 : 26;
	const top = rulerY + (presenter ? 38 : 30);
	const x = (step: number) => step * column;
	const { ticks, lines } = strip ? klLines(trace, x, column, strip) : { ticks: [], lines: [] };
	const forced = trace.experiment.forced !== undefined;

	const word = (step: number, text: string, kind: WordKind): WordMark => {
		const fit = fitWord(text, column - 10, size);
		return { step, full: text, kind, x: x(step) + column / 2, ...fit };
	};
	const rows: RowMark[] = [
		{ arm: -1, y: top, words: trace.reference.steps.map((s, i) => word(i, s.text, 'reference')) },
		...trace.arms.map((arm, k) => {
			const left = leaves(trace, arm);
			return {
				arm: k, y: top + (k + 1) * rowHeight,
				words: arm.steps.map((s, i) => {
					const kind: WordKind = left === null || i < left ? 'same'
						: i === left ? 'first'
						: !forced ? 'after' : s.agrees ? 'same' : 'other';
					return word(i, wordOf(trace, arm, i), kind);
				})
			};
		})
	];
	const height = top + rows.length * rowHeight + 6;
	const total = columns * column + PAD;
	return {
		width: total, end: columns * column, height, column, columns, done: stepsDone(trace), strip, klTicks: ticks, lines, rulerY, rowHeight, rows, x,
		at(px, py) {
			const step = Math.floor(px / column);
			if (step < 0 || step >= columns) return null;
			const row = Math.floor((py - top) / rowHeight);
			return { step, arm: row < 1 ? -1 : Math.min(trace.arms.length - 1, row - 1) };
		}
	};
}
