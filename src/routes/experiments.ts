/** Experiments as values: the first one, small changes, comparisons. Pure. */
import type { ArmSpec, Budget, Experiment, MethodSpec, ParamValue } from '$lib/documents/experiment.ts';
import type { Method } from '$lib/methods/define.ts';
import { words } from '$lib/ui/words/index.ts';
import first from './first-experiment.json' with { type: 'json' };

export const MAX_PAGE_ARMS = 4;

/** What the page starts with when no recorded run says otherwise; the recorded run is made from it. */
export const FIRST_EXPERIMENT = first as unknown as Experiment;

/** What decides the numbers of a run: everything but labels and the page's view. */
export function runKey(experiment: Experiment): string {
	const { view: _view, report: _report, arms, ...rest } = experiment;
	return stable({ ...rest, arms: arms.map(({ stack, matchBytes, edits }) => (matchBytes || edits?.length ? { stack, matchBytes, edits } : stack)) });
}

/** JSON with sorted keys, so that equal values are equal texts; undefined is left out. */
export function stable(value: unknown): string {
	return JSON.stringify(value, (_key, item: unknown) =>
		typeof item === 'object' && item !== null && !Array.isArray(item)
			? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
			: item);
}

export function isBudget(value: unknown): value is Budget {
	return typeof value === 'object' && value !== null && ('fraction' in value || 'tokens' in value || 'bytes' in value);
}

/** Name of a method's budget parameter, if it has one. */
export function budgetParam(method: Method | undefined): string | null {
	if (!method) return null;
	return Object.entries(method.params).find(([, spec]) => spec.kind === 'budget')?.[0] ?? null;
}

/** The budget of an arm: that of the first method of the stack that has one. */
export function armBudget(arm: ArmSpec, methods: ReadonlyMap<string, Method>): { index: number; name: string; budget: Budget } | null {
	for (const [index, spec] of arm.stack.entries()) {
		const method = methods.get(spec.method);
		const name = budgetParam(method);
		if (!name || !method) continue;
		const given = spec.params?.[name];
		const fallback = method.params[name];
		const budget = isBudget(given) ? given : fallback.kind === 'budget' ? fallback.default : null;
		if (budget) return { index, name, budget };
	}
	return null;
}

/** A budget as bytes of the whole cache after the prompt. */
export function budgetBytes(budget: Budget, fullBytes: number, promptTokens: number): number {
	if ('bytes' in budget) return budget.bytes;
	if ('fraction' in budget) return budget.fraction * fullBytes;
	return promptTokens > 0 ? (budget.tokens / promptTokens) * fullBytes : 0;
}

export function withParam(spec: MethodSpec, name: string, value: ParamValue | undefined): MethodSpec {
	const params = { ...spec.params };
	if (value === undefined) delete params[name];
	else params[name] = value;
	return Object.keys(params).length ? { method: spec.method, params } : { method: spec.method };
}

export function withArm(experiment: Experiment, index: number, arm: ArmSpec): Experiment {
	return { ...experiment, arms: experiment.arms.map((old, i) => (i === index ? arm : old)) };
}

/** Gives every arm that has a budget the same bytes. Arms without one stay as they are. */
export function equalBytes(experiment: Experiment, bytes: number, methods: ReadonlyMap<string, Method>): Experiment {
	return {
		...experiment,
		arms: experiment.arms.map((arm) => {
			const found = armBudget(arm, methods);
			if (!found) return arm;
			return { ...arm, stack: arm.stack.map((spec, i) => (i === found.index ? withParam(spec, found.name, { bytes: Math.round(bytes) }) : spec)) };
		})
	};
}

/** A name for an arm from its methods: "SnapKV, then KIVI". */
export function stackName(stack: readonly MethodSpec[], methods: ReadonlyMap<string, Method>): string {
	return words.arms.stackName(stack.map((spec) => methods.get(spec.method)?.title ?? spec.method));
}

export function budgetWords(budget: Budget): string {
	const say = words.editor.spec;
	if ('fraction' in budget) return say.fraction(budget.fraction);
	return 'tokens' in budget ? say.tokens(budget.tokens) : say.bytes(budget.bytes);
}

/** The parameters of a method that differ from its defaults, and its budget, as a few words. */
export function specWords(spec: MethodSpec, methods: ReadonlyMap<string, Method>): string {
	const method = methods.get(spec.method);
	if (!method) return '';
	const say = words.editor.spec;
	const parts: string[] = [];
	for (const [name, param] of Object.entries(method.params)) {
		const value = spec.params?.[name] ?? param.default;
		if (param.kind === 'budget') {
			if (isBudget(value)) parts.push(budgetWords(value));
		} else if (param.kind === 'scorer') parts.push(say.scorer(methods.get((value as MethodSpec).method)?.title ?? (value as MethodSpec).method));
		else if (param.kind === 'boolean') { if (value !== param.default) parts.push(value ? name : say.not(name)); }
		else if (value !== param.default || name === 'bits') parts.push(name === 'bits' ? say.bits(String(value)) : `${name} ${String(value)}`);
	}
	return parts.join(' · ');
}
