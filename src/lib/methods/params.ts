/**
 * Checks and completes the parameters of a method. Every error names its place in the document:
 * `arms[0].stack[1].params.bits: expected one of 2, 4, got 7`.
 */
import type { Budget, MethodSpec } from '$lib/documents/experiment.ts';
import { DocumentError } from '$lib/documents/schema.ts';
import type { Method, ParamSpec, Params } from './define.ts';

/** A method spec in which every parameter is present, inner methods included. */
export interface CompleteSpec {
	method: string;
	params: Params;
}

type Methods = ReadonlyMap<string, Method>;

/**
 * Checks a `{method, params}` from a document and fills in what it leaves out.
 * Throws DocumentError. `path` is the place of the spec, e.g. `arms[0].stack[1]`.
 */
export function completeSpec(methods: Methods, spec: unknown, path: string): CompleteSpec {
	const { method, params } = readSpec(methods, spec, path);
	return { method: method.id, params: completeParams(methods, method, params, `${path}.params`) };
}

/** The same for the parameters of a known method; `path` ends in `.params`. */
export function completeParams(
	methods: Methods,
	method: Method,
	given: Record<string, unknown>,
	path: string,
	leaveOut: readonly string[] = []
): Params {
	const names = Object.keys(method.params).filter((name) => !leaveOut.includes(name));
	for (const name of Object.keys(given)) {
		if (leaveOut.includes(name)) {
			throw new DocumentError(`${path}.${name}`, `the ${name} of the method around it counts; leave this one out`);
		}
		if (!names.includes(name)) throw new DocumentError(`${path}.${name}`, `${method.id} has no such parameter; ${offer(names)}`);
	}
	const complete: Params = {};
	for (const name of names) {
		const value = given[name] === undefined ? method.params[name].default : given[name];
		complete[name] = checkValue(methods, method.params[name], value, `${path}.${name}`);
	}
	const complaint = method.check?.(complete);
	if (complaint) throw expected(`${path}.${complaint.param}`, complaint.expected, complete[complaint.param]);
	return complete;
}

/** Checks one value; gives it back complete. */
export function checkValue(methods: Methods, spec: ParamSpec, value: unknown, path: string): unknown {
	switch (spec.kind) {
		case 'int': {
			const kind = spec.odd ? 'an odd whole number' : 'a whole number';
			const whole = typeof value === 'number' && Number.isInteger(value) && (!spec.odd || value % 2 === 1);
			return within(whole, value, spec, kind, path);
		}
		case 'number':
			return within(typeof value === 'number' && Number.isFinite(value), value, spec, 'a number', path);
		case 'choice':
			if (spec.options.includes(value as string | number)) return value;
			throw expected(path, `one of ${spec.options.join(', ')}`, value);
		case 'boolean':
			if (typeof value === 'boolean') return value;
			throw expected(path, 'true or false', value);
		case 'budget':
			return checkBudget(value, path);
		case 'scorer':
			return checkScorer(methods, value, path);
	}
}

/** Exactly one of fraction, tokens, bytes, and some of it. */
export function checkBudget(value: unknown, path: string): Budget {
	if (typeof value !== 'object' || value === null || Array.isArray(value)) {
		throw expected(path, '{"fraction"}, {"tokens"} or {"bytes"}', value);
	}
	const keys = Object.keys(value);
	if (keys.length !== 1 || !['fraction', 'tokens', 'bytes'].includes(keys[0])) {
		throw expected(path, 'exactly one of fraction, tokens, bytes', keys.length ? keys.join(', ') : 'none of them', true);
	}
	const key = keys[0] as 'fraction' | 'tokens' | 'bytes';
	const amount = (value as Record<string, unknown>)[key];
	const wanted = key === 'fraction' ? 'a number above 0 and at most 1' : 'a whole number of at least 1';
	if (amount === 0) {
		throw new DocumentError(`${path}.${key}`, `a budget of nothing leaves nothing to attend to; expected ${wanted}, got 0`);
	}
	const fits =
		typeof amount === 'number' &&
		(key === 'fraction' ? amount > 0 && amount <= 1 : Number.isSafeInteger(amount) && amount >= 1);
	if (!fits) throw expected(`${path}.${key}`, wanted, amount);
	return { [key]: amount } as unknown as Budget;
}

function checkScorer(methods: Methods, value: unknown, path: string): CompleteSpec {
	const { method, params } = readSpec(methods, value, path);
	if (!method.scorer) {
		const scorers = [...methods.values()].filter((each) => each.scorer).map((each) => each.id);
		throw expected(`${path}.method`, `a method that scores tokens (${scorers.join(', ')})`, method.id);
	}
	return { method: method.id, params: completeParams(methods, method, params, `${path}.params`, ['budget']) };
}

function readSpec(methods: Methods, spec: unknown, path: string): { method: Method; params: Record<string, unknown> } {
	if (typeof spec !== 'object' || spec === null || Array.isArray(spec)) {
		throw expected(path, 'an object with "method" and "params"', spec);
	}
	const { method: id, params = {}, ...rest } = spec as MethodSpec & Record<string, unknown>;
	const extra = Object.keys(rest)[0];
	if (extra !== undefined) throw new DocumentError(`${path}.${extra}`, 'unknown key; expected method, params');
	const method = typeof id === 'string' ? methods.get(id) : undefined;
	if (!method) throw expected(`${path}.method`, `one of ${[...methods.keys()].join(', ')}`, id);
	if (typeof params !== 'object' || params === null || Array.isArray(params)) {
		throw expected(`${path}.params`, 'an object of parameters', params);
	}
	return { method, params: params as Record<string, unknown> };
}

function within(ok: boolean, value: unknown, spec: { min: number; max: number }, kind: string, path: string): unknown {
	if (ok && (value as number) >= spec.min && (value as number) <= spec.max) return value;
	throw expected(path, `${kind} from ${spec.min} to ${spec.max}`, value);
}

function expected(path: string, wanted: string, got: unknown, asWords = false): DocumentError {
	return new DocumentError(path, `expected ${wanted}, got ${asWords ? got : got === undefined ? 'nothing' : JSON.stringify(got)}`);
}

const offer = (names: string[]): string => (names.length ? `it has ${names.join(', ')}` : 'it has none');
