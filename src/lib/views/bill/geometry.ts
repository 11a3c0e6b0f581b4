/**
 * The bill of bytes: every arm's cache as stacked bars against the full cache, and the receipt of
 * one arm with its products written out. A product is printed only if it gives the bytes exactly.
 */
import { cellsAt, isStored } from '$lib/documents/read.ts';
import { BILL_ITEMS, CELL_STATES, type ArmTrace, type Bill, type BillItem, type ModelShape, type Trace } from '$lib/documents/trace.ts';

/** A line of the bill: an item, or the K or V half of the payload. */
export type LineId = 'payloadK' | 'payloadV' | BillItem;

export interface BillLine {
	id: LineId;
	bytes: number;
}

/** The arm's bill after `step`; before the first step, after the compression of the prompt. */
export function billAt(arm: ArmTrace, step: number): Bill {
	return step < 0 || arm.steps.length === 0 ? arm.billAfterPrompt : arm.steps[Math.min(step, arm.steps.length - 1)].bill;
}

/**
 * Lines with bytes, in the order of the bar. A bill's K and V count payload and exact window
 * together, so payload is split into K and V only where there is no window.
 */
export function billLines(bill: Bill): BillLine[] {
	const lines: BillLine[] = [];
	for (const item of BILL_ITEMS) {
		if (item === 'payload' && bill.items.window === 0) lines.push({ id: 'payloadK', bytes: bill.payloadK }, { id: 'payloadV', bytes: bill.payloadV });
		else lines.push({ id: item, bytes: bill.items[item] });
	}
	return lines.filter((line) => line.bytes > 0);
}

/** Bytes of the full fp16 cache at the moment of the bill. */
export function fullBytes(bill: Bill): number {
	return bill.total * bill.ratio;
}

export interface Segment extends BillLine {
	x: number;
	width: number;
}

export interface BillBar {
	arm: number;
	label: string;
	total: number;
	fast: number;
	segments: Segment[];
	y: number;
	/** x where what is in fast memory ends. */
	fastX: number;
	end: number;
}

export interface BillLayout {
	width: number;
	height: number;
	left: number;
	bars: BillBar[];
	barHeight: number;
	axisY: number;
	/** Full cache and, if all arms share one budget in bytes, the budget. */
	full: { bytes: number; x: number | null };
	budget: { bytes: number; x: number } | null;
	/** Bytes at the right end. */
	limit: number;
	x(bytes: number): number;
}

/** Bars of all arms. `scale` 'full' ends at the full cache, 'arms' at the largest arm or the budget. */
export function billLayout(trace: Trace, step: number, width: number, scale: 'full' | 'arms', size = 1): BillLayout {
	const left = Math.round(30 * size);
	const bills = trace.arms.map((arm) => billAt(arm, step));
	const full = Math.max(1, ...bills.map(fullBytes));
	const budget = sharedBudget(trace);
	const largest = Math.max(1, ...bills.map((b) => b.total), scale === 'arms' ? (budget ?? 0) : 0);
	const limit = scale === 'full' ? Math.max(full, largest) : largest;
	const span = width - left - Math.round(6 * size);
	const x = (bytes: number) => left + (bytes / limit) * span;
	const barHeight = Math.round(18 * size);
	const pitch = Math.round(26 * size);
	const top = Math.round(8 * size);
	const bars = trace.arms.map((arm, i): BillBar => {
		let at = 0;
		const segments = billLines(bills[i]).map((line) => {
			const from = x(at);
			at += line.bytes;
			return { ...line, x: from, width: x(at) - from };
		});
		return { arm: i, label: arm.label, total: bills[i].total, fast: bills[i].fast, segments, y: top + i * pitch, fastX: x(bills[i].fast), end: x(bills[i].total) };
	});
	const axisY = top + trace.arms.length * pitch;
	return {
		width, left, bars, barHeight, axisY, limit, x,
		height: axisY + Math.round(24 * size),
		full: { bytes: full, x: full <= limit ? x(full) : null },
		budget: budget !== null && budget <= limit ? { bytes: budget, x: x(budget) } : null
	};
}

/** The budget in bytes if every arm has exactly one and it is the same for all. */
export function sharedBudget(trace: Trace): number | null {
	const found = trace.arms.map((arm) => {
		const text = JSON.stringify(arm.stack);
		const all = [...text.matchAll(/"budget":\{"bytes":(\d+(?:\.\d+)?)\}/g)].map((m) => Number(m[1]));
		return new Set(all).size === 1 ? all[0] : null;
	});
	return found.length > 0 && found[0] !== null && found.every((b) => b === found[0]) ? found[0] : null;
}

export interface ReceiptLine extends BillLine {
	/** The product that gives the bytes, e.g. "1 184 slots x 32 x 2 B"; null when none is known. */
	factors: { slots: number; per: number; unit: 'numbers' | 'bytes'; bytesEach: number } | null;
}

export interface Receipt {
	lines: ReceiptLine[];
	total: number;
	fast: number;
	ratio: number;
	bitsPerNumber: number;
	/** Bytes of numbers, exact or encoded, by K and V: payload and window together. */
	numbersK: number;
	numbersV: number;
	/** Slots stored over all layers and heads. */
	slots: number;
}

/** The receipt of one arm after `step`. */
export function receipt(model: ModelShape, arm: ArmTrace, step: number): Receipt {
	const bill = billAt(arm, step);
	const { slots, exact, window } = countSlots(cellsAt(arm, step));
	const exactBytes = model.headDim * 2;
	const lines = billLines(bill).map((line): ReceiptLine => ({ ...line, factors: factorsOf(line) }));
	return { lines, total: bill.total, fast: bill.fast, ratio: bill.ratio, bitsPerNumber: bill.bitsPerNumber, numbersK: bill.payloadK, numbersV: bill.payloadV, slots };

	function factorsOf({ id, bytes }: BillLine): ReceiptLine['factors'] {
		if (id === 'payloadK' || id === 'payloadV') {
			for (const n of [slots, exact]) if (n > 0 && bytes === n * exactBytes) return { slots: n, per: model.headDim, unit: 'numbers', bytesEach: 2 };
		}
		if (id === 'window' && window > 0 && bytes === window * 2 * exactBytes) return { slots: window, per: 2 * model.headDim, unit: 'numbers', bytesEach: 2 };
		if (id === 'positions') {
			if (bytes === slots * 2) return { slots, per: 1, unit: 'bytes', bytesEach: 2 };
		}
		return null;
	}
}

const EXACT = new Set(['kept', 'sink', 'window', 'merged', 'fetched', 'hidden', 'restored', 'pinned', 'corrupted'].map((s) => CELL_STATES.indexOf(s as (typeof CELL_STATES)[number])));
const WINDOW = CELL_STATES.indexOf('window');

function countSlots(cells: Uint8Array): { slots: number; exact: number; window: number } {
	const out = { slots: 0, exact: 0, window: 0 };
	for (const state of cells) {
		if (!isStored(state)) continue;
		out.slots++;
		if (EXACT.has(state)) out.exact++;
		if (state === WINDOW) out.window++;
	}
	return out;
}
