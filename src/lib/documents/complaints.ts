/** What is wrong with a document, in words: the place, what was expected there, what was found. */
import type * as v from 'valibot';
import { EXPERIMENT_VERSION } from './experiment.ts';

/** The document is wrong. `path` is the place inside it, e.g. `arms[1].stack[0].method`. */
export class DocumentError extends Error {
	override name = 'DocumentError';
	readonly path: string;
	constructor(path: string, problem: string) {
		super(path ? `${path}: ${problem}` : problem);
		this.path = path;
	}
}

/** What a key that may not be missing holds. */
export const REQUIRED: Record<string, string> = {
	version: `the number ${EXPERIMENT_VERSION}`,
	model: 'the id of a model, such as "nano"',
	prompt: 'an object with one of text, tokens, chat, task',
	arms: 'a list of arms, each with a stack of methods',
	stack: 'a list of methods',
	method: 'the id of a method, such as "snapkv"',
	tokens: 'a list of token numbers',
	seed: 'a whole number',
	content: 'a text',
	step: 'the step before which the hand acts',
	act: '"pin", "evict", "restore" or "keep"',
	positions: 'a list of positions',
	role: '"system", "user" or "assistant"'
};

/** The keys that may stand in an object, by the name under which it stands. */
const KNOWN: Record<string, string> = {
	'': 'only version, model, prompt, forced, generate, prefill, arms, report, view',
	prompt: 'only text, only tokens, or only chat; options go with a task',
	forced: 'only tokens',
	generate: 'only tokens, temperature, topK, topP, seed',
	prefill: 'only block',
	arms: 'only label, stack, matchBytes, edits',
	edits: 'only step, act, positions, layer, head',
	matchBytes: 'only arm, or only bytes',
	stack: 'only method, params',
	chat: 'only role, content'
};

/** Keys as they are written: `arms[1].stack[0].method`. */
export function pathOf(keys: readonly unknown[]): string {
	return keys.map((key, i) => (typeof key === 'number' ? `[${key}]` : i ? `.${String(key)}` : String(key))).join('');
}

function found(input: unknown): string {
	if (input === undefined) return 'nothing';
	const text = JSON.stringify(input) ?? String(input);
	return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** One issue of the schema as an error. */
export function complaint(issue: v.BaseIssue<unknown>): DocumentError {
	const keys = (issue.path ?? []).map((item) => item.key);
	const path = pathOf(keys);
	const key = String(keys.at(-1) ?? '');
	if (issue.type === 'strict_object' && issue.expected === 'never') {
		const parent = keys.slice(0, -1).findLast((item) => typeof item === 'string');
		const known = KNOWN[String(parent ?? '')];
		return new DocumentError(path, `unknown key${known ? `; expected ${known}` : ''}`);
	}
	if (issue.received === 'undefined' && issue.path) {
		return new DocumentError(path, `missing; expected ${REQUIRED[key] ?? issue.message}`);
	}
	if (path === 'version' && typeof issue.input === 'number' && issue.input > EXPERIMENT_VERSION) {
		return new DocumentError(path, `expected ${EXPERIMENT_VERSION}, found ${issue.input}: the document was made by a newer Winnow`);
	}
	return new DocumentError(path, `expected ${issue.message}, found ${found(issue.input)}`);
}
