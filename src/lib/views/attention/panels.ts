/** One head over all steps: where to look, the panels of full cache, arm and difference, the overview. Pure. */
import type { AttentionProbe } from '$lib/documents/trace.ts';

export interface Window {
	/** Columns [from, to). */
	from: number;
	to: number;
}

/** Where to look: around `position` when there is one, else where full and arm differ most. */
export function zoomWindow(probe: AttentionProbe, columns: number, position: number | null): Window {
	const n = probe.positions;
	if (n <= columns) return { from: 0, to: n };
	if (position !== null && position >= 0 && position < n) {
		const from = Math.max(0, Math.min(n - columns, position - (columns >> 1)));
		return { from, to: from + columns };
	}
	const weight = new Float64Array(n + 1);
	for (let p = 0; p < n; p++) {
		let sum = 0;
		for (let s = 0; s < probe.steps; s++) sum += Math.abs(probe.full[s * n + p] - probe.arm[s * n + p]);
		weight[p + 1] = weight[p] + sum;
	}
	let from = 0;
	for (let a = 1; a + columns <= n; a++) {
		if (weight[a + columns] - weight[a] > weight[from + columns] - weight[from] + 1e-9) from = a;
	}
	return { from, to: from + columns };
}

export interface HeadPanels {
	columns: number;
	rows: number;
	/** [rows, columns], row-major, of the window. */
	full: Float32Array;
	arm: Float32Array;
	difference: Float32Array;
	/** Largest weight of full and arm in the window: the one scale of all three, for the difference on both sides of zero. */
	limit: number;
}

/** The three panels of one head, cut to the window. Full minus arm: positive is what the arm lost. */
export function headPanels(probe: AttentionProbe, window: Window): HeadPanels {
	const columns = window.to - window.from;
	const size = probe.steps * columns;
	const panels: HeadPanels = { columns, rows: probe.steps, full: new Float32Array(size), arm: new Float32Array(size), difference: new Float32Array(size), limit: 0 };
	for (let s = 0; s < probe.steps; s++) {
		for (let c = 0; c < columns; c++) {
			const from = s * probe.positions + window.from + c;
			const to = s * columns + c;
			panels.full[to] = probe.full[from];
			panels.arm[to] = probe.arm[from];
			panels.difference[to] = probe.full[from] - probe.arm[from];
			panels.limit = Math.max(panels.limit, probe.full[from], probe.arm[from]);
		}
	}
	return panels;
}

/** Largest weight of the full cache over all steps, by bin, root scale to 1: the overview above the panels. */
export function overview(probe: AttentionProbe, bins: number): { held: Float32Array; gone: Float32Array } {
	const n = Math.max(1, Math.min(bins, probe.positions));
	const limit = probe.full.reduce((a, b) => Math.max(a, b), 0) || 1;
	const held = new Float32Array(n);
	const gone = new Float32Array(n);
	for (let p = 0; p < probe.positions; p++) {
		const bin = Math.floor((p * n) / probe.positions);
		for (let s = 0; s < probe.steps; s++) {
			const weight = probe.full[s * probe.positions + p];
			const target = probe.arm[s * probe.positions + p] === 0 ? gone : held;
			target[bin] = Math.max(target[bin], Math.sqrt(weight / limit));
		}
	}
	return { held, gone };
}

/** All positions of one step, those that are read most first, full cache and arm: the table behind the picture. */
export function strongest(probe: AttentionProbe, step: number): { position: number; full: number; arm: number }[] {
	const row = Array.from({ length: probe.positions }, (_, position) => ({
		position,
		full: probe.full[step * probe.positions + position],
		arm: probe.arm[step * probe.positions + position]
	}));
	return row.sort((a, b) => Math.max(b.full, b.arm) - Math.max(a.full, a.arm));
}
