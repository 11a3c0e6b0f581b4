/** Which parameter makes a method's cache larger or smaller, and the values it may take. Pure. */
import type { Method, Params, ParamSpec } from './define.ts';
import type { CompleteSpec } from './params.ts';

/** The settings that a method can be moved through, from the one with the fewest bytes on. */
export interface SizeSettings {
	/** Place in the stack of the method that is moved. */
	place: number;
	count: number;
	/** The parameters of setting i, 0 … count-1: those that are moved, and no others. */
	at(i: number): Params;
}

/** Most values of a number without a step of its own. */
const PARTS = 100;

/** What makes the method larger or smaller: what it says itself, else its budget; none where it has neither. */
export function sizeParams(method: Method): readonly string[] {
	if (method.size) return method.size.params;
	return Object.keys(method.params).filter((name) => method.params[name].kind === 'budget').slice(0, 1);
}

/**
 * The method of the stack whose size can be chosen: the first with a budget, else the first that names
 * parameters of its size. Null where there is none.
 */
export function sizeSettings(stack: readonly CompleteSpec[], methods: ReadonlyMap<string, Method>, promptTokens: number): SizeSettings | null {
	const named = stack.map(({ method }) => ({ method: methods.get(method)!, names: sizeParams(methods.get(method)!) }));
	const withBudget = named.findIndex(({ method, names }) => names.some((name) => method.params[name].kind === 'budget'));
	const place = withBudget >= 0 ? withBudget : named.findIndex(({ names }) => names.length > 0);
	if (place < 0) return null;
	const { method, names } = named[place];
	const values = names.map((name) => valuesOf(method.params[name], promptTokens));
	if (method.size?.falls) values.forEach((list) => list.reverse());
	const steps = staircase(values.map((list) => list.length));
	return { place, count: steps.length, at: (i) => Object.fromEntries(names.map((name, j) => [name, values[j][steps[i][j]]])) };
}

/** All values of a parameter in ascending order; a budget is taken in tokens, 1 to the whole prompt. */
function valuesOf(spec: ParamSpec, promptTokens: number): unknown[] {
	const from = (count: number, value: (i: number) => unknown) => Array.from({ length: count }, (_, i) => value(i));
	switch (spec.kind) {
		case 'budget':
			return from(promptTokens, (i) => ({ tokens: i + 1 }));
		case 'int': {
			const step = spec.odd ? 2 : 1;
			const least = spec.odd && spec.min % 2 === 0 ? spec.min + 1 : spec.min;
			return from(Math.floor((spec.max - least) / step) + 1, (i) => least + i * step);
		}
		case 'number': {
			const step = spec.step ?? (spec.max - spec.min) / PARTS;
			// Rounded, so that three steps of 0.1 are 0.3.
			return from(Math.floor((spec.max - spec.min) / step + 1e-9) + 1, (i) => Number((spec.min + i * step).toPrecision(12)));
		}
		case 'choice':
			return spec.options.filter((option) => typeof option === 'number').sort((a, b) => a - b);
		default:
			return [];
	}
}

/** Indices into several lists, all at 0 first, then raised one at a time in turn, the first list first. */
export function staircase(lengths: readonly number[]): number[][] {
	const now = lengths.map(() => 0);
	const steps = [[...now]];
	while (now.some((level, j) => level < lengths[j] - 1)) {
		lengths.forEach((length, j) => {
			if (now[j] >= length - 1) return;
			now[j]++;
			steps.push([...now]);
		});
	}
	return lengths.some((length) => length === 0) ? [] : steps;
}
