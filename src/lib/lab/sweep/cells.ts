/** The cells of a sweep: which stacks stand for which method at which budget. */
import { DocumentError } from '$lib/documents/schema.ts';
import type { Method } from '$lib/methods/define.ts';
import type { CompleteSpec } from '$lib/methods/params.ts';
import { sizeParams } from '$lib/methods/size.ts';
import { readMethodSpec } from '$lib/methods/start.ts';
import { fullCacheBytes } from '$lib/cache/bill.ts';
import { matchBytes } from '../match.ts';
import type { PromptRead } from '../prompt-read.ts';

export interface Cell {
	method: string;
	/** Share of the full cache that was asked for. */
	budget: number;
	/** As a document has it: what differs from the presets. */
	stack: { method: string; params: Record<string, unknown> }[];
	complete: CompleteSpec[];
}

export interface LeftOut {
	method: string;
	why: string;
}

/** Names a measured cell; equal cells have equal keys, and other settings another. */
export const cellKey = ({ method, budget, stack }: Pick<Cell, 'method' | 'budget' | 'stack'>): string => JSON.stringify([method, budget, stack]);

const budgetOf = (method: Method): string | undefined => Object.keys(method.params).find((name) => method.params[name].kind === 'budget');

function cell(method: string, budget: number, params: Record<string, unknown>): Cell {
	return { method, budget, stack: [{ method, params }], complete: [readMethodSpec({ method, params })] };
}

/** Cells of all methods with a budget: the budget as a fraction, everything else as preset. */
export function budgetCells(methods: readonly Method[], budgets: readonly number[]): Cell[] {
	return methods.flatMap((method) => {
		const name = budgetOf(method);
		return name === undefined ? [] : budgets.map((fraction) => cell(method.id, fraction, { [name]: { fraction } }));
	});
}

/** Methods that have a size but no budget, and those that have neither. */
export function sizedMethods(methods: readonly Method[]): { sized: Method[]; leftOut: LeftOut[] } {
	const others = methods.filter((method) => budgetOf(method) === undefined);
	return {
		sized: others.filter((method) => sizeParams(method).length > 0),
		leftOut: others.filter((method) => sizeParams(method).length === 0).map(({ id }) => ({ method: id, why: 'It has no budget and no other parameter that decides its bytes.' }))
	};
}

/**
 * Cells of methods without a budget: for each budget the setting whose bytes are nearest on this text. A setting that
 * is nearest to several stands under the budget that it misses least.
 */
export async function sizedCells(read: PromptRead, sized: readonly Method[], budgets: readonly number[]): Promise<{ cells: Cell[]; leftOut: LeftOut[] }> {
	const full = fullCacheBytes(read.lab.model, read.plan.prompt.ids.length);
	const cells: Cell[] = [];
	const leftOut: LeftOut[] = [];
	for (const { id } of sized) {
		const best = new Map<string, { off: number; cell: Cell }>();
		const known = new Map<number, number>();
		try {
			for (const budget of budgets) {
				const { params, difference } = await matchBytes(read, [readMethodSpec({ method: id })], budget * full, 0, known);
				const key = JSON.stringify(params);
				const off = Math.abs(difference);
				if (off < (best.get(key)?.off ?? Infinity)) best.set(key, { off, cell: cell(id, budget, params) });
			}
		} catch (error) {
			leftOut.push({ method: id, why: whyNot(error) });
		}
		cells.push(...[...best.values()].map((found) => found.cell));
	}
	return { cells, leftOut };
}

/** Why a method cannot be run here, without the place in a document that nobody wrote. Anything else is thrown on. */
export function whyNot(error: unknown): string {
	if (!(error instanceof DocumentError)) throw error;
	const why = error.path ? error.message.slice(error.path.length + 2) : error.message;
	return `${why[0].toUpperCase()}${why.slice(1)}${/[.!?]$/.test(why) ? '' : '.'}`;
}
