/**
 * Checks an experiment document. Every complaint names the path inside the document and what was
 * expected there. What a method's parameters may be is known only to the methods, so the lab checks
 * those (with the same kind of error); here only the form counts.
 */
import * as v from 'valibot';
import { complaint, DocumentError, pathOf, REQUIRED } from './complaints.ts';
import { DEFAULT_GENERATE, EDIT_ACTS, EXPERIMENT_VERSION, type Experiment, type MethodSpec, type ReportPart } from './experiment.ts';

export { DocumentError } from './complaints.ts';

export const DEFAULT_REPORT: ReportPart[] = ['steps', 'bill'];
const REPORT_PARTS = ['steps', 'bill', 'kept', 'logits'] as const;
export const MAX_ARMS = 32;
export const MAX_TOKENS = 65536;
export const MAX_EDITS = 1000;

/** A number with bounds; `what` completes "expected …". */
const bounded = (what: string, low: number, high: number) =>
	v.pipe(v.number(what), v.check((x) => Number.isFinite(x) && x >= low && x <= high, what));
const whole = (what: string, low: number, high: number) =>
	v.pipe(v.number(what), v.check((x) => Number.isInteger(x) && x >= low && x <= high, what));
const isObject = (x: unknown): x is Record<string, unknown> => typeof x === 'object' && x !== null && !Array.isArray(x);

const seed = whole('a whole number from 0 to 4294967295', 0, 0xffffffff);
const tokenList = v.pipe(
	v.array(whole('a token number (0 or more)', 0, 2 ** 31 - 1), 'a list of token numbers'),
	v.minLength(1, 'at least one token')
);

type ObjectMaker = typeof v.strictObject;

/** The schema; `object` is strict (unknown keys are issues) or plain (they are dropped). */
function build(object: ObjectMaker) {
	const budget = v.lazy((input) => {
		const keys = isObject(input) ? ['fraction', 'tokens', 'bytes'].filter((key) => key in input) : [];
		if (keys.length !== 1) return v.never('a budget with exactly one of fraction, tokens, bytes');
		if (keys[0] === 'fraction') return object({ fraction: bounded('a share from 0 to 1', 0, 1) }, 'a budget');
		if (keys[0] === 'tokens') return object({ tokens: whole('a whole number of slots, 1 or more', 1, 1e9) }, 'a budget');
		return object({ bytes: bounded('a number of bytes, 1 or more', 1, 1e15) }, 'a budget');
	}) as v.GenericSchema<unknown>;
	const matchBytes = v.lazy((input) => {
		const keys = isObject(input) ? ['arm', 'bytes'].filter((key) => key in input) : [];
		if (keys.length !== 1) return v.never('exactly one of {"arm": index} and {"bytes": number}');
		if (keys[0] === 'arm') return object({ arm: whole('the index of an arm, 0 or more', 0, MAX_ARMS - 1) }, 'an arm');
		return object({ bytes: bounded('a number of bytes, 1 or more', 1, 1e15) }, 'a number of bytes');
	}) as v.GenericSchema<unknown>;
	const edit = object({
		step: whole('a whole number, -1 (before the prompt is compressed) or more', -1, MAX_TOKENS),
		act: v.picklist(EDIT_ACTS, REQUIRED.act),
		positions: v.pipe(v.array(whole('the position of a token, 0 or more', 0, MAX_TOKENS), REQUIRED.positions), v.minLength(1, 'at least one position')),
		layer: v.optional(whole('a layer, 0 or more', 0, MAX_TOKENS)),
		head: v.optional(whole('a KV head, 0 or more', 0, MAX_TOKENS))
	}, 'an edit: {"step": k, "act": …, "positions": […]}');
	const param: v.GenericSchema<unknown> = v.lazy((input) => {
		if (typeof input === 'number') return bounded('a finite number', -Number.MAX_VALUE, Number.MAX_VALUE);
		if (typeof input === 'string') return v.string();
		if (typeof input === 'boolean') return v.boolean();
		if (isObject(input)) return 'method' in input ? method : budget;
		return v.never('a number, a text, true, false, a budget or a method');
	});
	const method: v.GenericSchema<MethodSpec> = object({
		method: v.pipe(v.string(REQUIRED.method), v.nonEmpty(REQUIRED.method)),
		params: v.optional(v.record(v.string(), param, 'an object of parameters'))
	}, 'a method: {"method": id, "params": {…}}') as unknown as v.GenericSchema<MethodSpec>;

	const text = object({ text: v.string('a text') }, 'a prompt');
	const tokens = object({ tokens: tokenList }, 'a prompt');
	const chat = object({
		chat: v.pipe(v.array(object({
			role: v.picklist(['system', 'user', 'assistant'], REQUIRED.role),
			content: v.string('a text')
		}, 'a message'), 'a list of messages'), v.minLength(1, 'at least one message'))
	}, 'a prompt');
	const task = v.objectWithRest(
		{ task: v.pipe(v.string('the name of a task'), v.nonEmpty('the name of a task')), seed },
		v.union([v.string(), v.boolean(), v.number()], 'a number, a text, true or false'), 'a prompt'
	);
	const prompt = v.lazy((input) => {
		const kinds = isObject(input) ? ['text', 'tokens', 'chat', 'task'].filter((key) => key in input) : [];
		if (kinds.length !== 1) return v.never(kinds.length ? `only one of ${kinds.join(', ')}` : REQUIRED.prompt);
		return { text, tokens, chat, task }[kinds[0] as 'text']!;
	}) as v.GenericSchema<unknown>;

	const d = DEFAULT_GENERATE;
	const generate = object({
		tokens: v.optional(whole(`a whole number from 0 to ${MAX_TOKENS}`, 0, MAX_TOKENS), d.tokens),
		temperature: v.optional(bounded('a number from 0 to 10', 0, 10), d.temperature),
		topK: v.optional(whole('a whole number, 0 (all tokens) or more', 0, 1e9), d.topK),
		topP: v.optional(v.pipe(v.number('a number above 0, at most 1'),
			v.check((x) => x > 0 && x <= 1, 'a number above 0, at most 1')), d.topP),
		seed: v.optional(seed, d.seed)
	}, 'an object');
	const block = v.union([v.null(), whole('a whole number, 1 or more', 1, MAX_TOKENS)], 'null or a whole number, 1 or more');

	return object({
		version: v.literal(EXPERIMENT_VERSION, REQUIRED.version),
		model: v.pipe(v.string(REQUIRED.model), v.nonEmpty(REQUIRED.model)),
		prompt,
		forced: v.optional(v.lazy((input) => typeof input === 'string'
			? v.pipe(v.string(), v.nonEmpty('a text that is not empty'))
			: object({ tokens: tokenList }, 'a text or {"tokens": […]}')) as v.GenericSchema<unknown>),
		generate: v.optional(generate, () => ({ ...d })),
		prefill: v.optional(object({ block: v.optional(block, null) }, 'an object'), () => ({ block: null })),
		arms: v.pipe(v.array(object({
			label: v.optional(v.string('a text')),
			stack: v.array(method, REQUIRED.stack),
			matchBytes: v.optional(matchBytes),
			edits: v.optional(v.pipe(v.array(edit, 'a list of edits'), v.maxLength(MAX_EDITS, `at most ${MAX_EDITS} edits`)))
		}, 'an arm: {"stack": […]}'), REQUIRED.arms), v.maxLength(MAX_ARMS, `at most ${MAX_ARMS} arms`)),
		report: v.optional(v.array(v.picklist(REPORT_PARTS, 'one of steps, bill, kept, logits'), 'a list of parts'), () => [...DEFAULT_REPORT]),
		view: v.optional(v.record(v.string(), v.unknown(), 'an object'))
	}, 'an experiment document: a JSON object');
}

const strict = build(v.strictObject);
const lenient = build(v.object as unknown as ObjectMaker);

/** Paths of the keys of `input` that `output` has not got. */
function dropped(input: unknown, output: unknown, keys: (string | number)[] = []): string[] {
	if (Array.isArray(input) && Array.isArray(output)) {
		return input.flatMap((item, i) => dropped(item, output[i], [...keys, i]));
	}
	if (!isObject(input) || !isObject(output)) return [];
	return Object.keys(input).flatMap((key) =>
		key in output ? dropped(input[key], output[key], [...keys, key]) : [pathOf([...keys, key])]);
}

/**
 * Checks a document (already parsed JSON) and fills in what it leaves out. Unknown keys are an
 * error on the command line and, with `notice`, dropped and reported (links from a newer version).
 * Throws DocumentError for the first thing that is wrong, in document order of the schema.
 */
export function parseExperiment(json: unknown, options: { unknown: 'error' | 'notice' }): { experiment: Experiment; notices: string[] } {
	// A newer version explains every other surprise, so it is looked at first.
	if (isObject(json) && typeof json.version === 'number' && json.version > EXPERIMENT_VERSION) {
		throw new DocumentError('version', `expected ${EXPERIMENT_VERSION}, found ${json.version}: the document was made by a newer Winnow`);
	}
	const result = v.safeParse(options.unknown === 'error' ? strict : lenient, json);
	if (!result.success) {
		// A misspelt key makes its right spelling missing too: name the misspelt one.
		const issue = result.issues.find((i) => i.expected === 'never' && i.type === 'strict_object') ?? result.issues[0];
		throw complaint(issue);
	}
	const experiment = result.output as unknown as Experiment;
	const notices = options.unknown === 'notice'
		? dropped(json, experiment).map((path) => `${path}: this version of Winnow does not know it; it was left out`)
		: [];
	return { experiment, notices };
}

/** The same from text. Throws DocumentError with an empty path when it is no JSON at all. */
export function parseExperimentText(text: string, options: { unknown: 'error' | 'notice' }): { experiment: Experiment; notices: string[] } {
	let json: unknown;
	try {
		json = JSON.parse(text);
	} catch (error) {
		throw new DocumentError('', `expected a JSON document; ${(error as Error).message}`);
	}
	return parseExperiment(json, options);
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** The document without what `parseExperiment` would fill in, for links. */
export function strip(experiment: Experiment): Record<string, unknown> {
	const { generate, prefill, report, view, arms, forced, ...rest } = experiment;
	const out: Record<string, unknown> = { ...rest };
	if (forced !== undefined) out.forced = forced;
	const kept = Object.entries(generate).filter(([key, value]) => value !== DEFAULT_GENERATE[key as keyof typeof DEFAULT_GENERATE]);
	if (kept.length) out.generate = Object.fromEntries(kept);
	if (prefill.block !== null) out.prefill = { block: prefill.block };
	out.arms = arms.map(({ label, stack, matchBytes, edits }) => ({ ...(label === undefined ? {} : { label }), stack, ...(matchBytes ? { matchBytes } : {}), ...(edits ? { edits } : {}) }));
	if (!same(report, DEFAULT_REPORT)) out.report = report;
	if (view && Object.keys(view).length) out.view = view;
	return out;
}
