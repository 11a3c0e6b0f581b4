/** From a method spec of a document to a running instance, wrappers and their inner methods included. */
import type { Budget } from '$lib/documents/experiment.ts';
import { DocumentError } from '$lib/documents/schema.ts';
import type { ModelShape } from '$lib/documents/trace.ts';
import type { Random } from '$lib/numerics/random.ts';
import { BudgetError, slotsOf, type BytesOfHead } from './budget.ts';
import type { Method, MethodInstance, Needs, StartContext } from './define.ts';
import { completeSpec, type CompleteSpec } from './params.ts';
import { methods } from './registry.ts';
import { Requests, type PromptText } from './requests.ts';

/** What a start needs to know of the run. */
export interface RunFacts {
	model: ModelShape;
	random: Random;
	promptTokens: number;
	/** The prompt itself; needed by methods that look at it before it is read. */
	text?: PromptText;
	/** The methods after this one in the stack. */
	after?: readonly CompleteSpec[];
	/** Takes down what methods ask for; without it, asking leads nowhere. */
	requests?: Requests;
}

const NO_TEXT: PromptText = {
	ids: [],
	encode: () => { throw new Error('there is no tokenizer here'); },
	embedding: () => { throw new Error('there is no model here'); }
};

/** Checks and completes a spec against all methods of the house. Throws DocumentError. */
export const readMethodSpec = (spec: unknown, path = 'method'): CompleteSpec => completeSpec(methods, spec, path);

/** What the forward pass must keep for this method. The spec is complete. */
export function needsOf(spec: CompleteSpec): Needs {
	return methodOf(spec).needs(spec.params, (inner) => needsOf(inner as CompleteSpec));
}

/** The needs of several methods as one: the longer window, any of the flags. */
export function joinNeeds(all: readonly Needs[]): Needs {
	const joined: Needs = {};
	for (const needs of all) {
		if (needs.queries === 'all' || joined.queries === 'all') joined.queries = 'all';
		else if (needs.queries) joined.queries = { last: Math.max(needs.queries.last, joined.queries?.last ?? 0) };
		for (const flag of ['attentionSums', 'keysBefore', 'queriesBefore', 'stepAttention', 'stepQuery', 'nextLogits'] as const) {
			if (needs[flag]) joined[flag] = true;
		}
	}
	return joined;
}

/**
 * Starts a method for one arm. The spec is complete (`readMethodSpec`). A budget that cannot hold
 * one token throws DocumentError with the place of the budget below `path`, and a method that turns
 * keys where the model's positions are learned throws one for `path`.
 */
export function startMethod(spec: CompleteSpec, run: RunFacts, path = 'method'): MethodInstance {
	const facts = { text: NO_TEXT, requests: new Requests(), ...run };
	const { model, random, promptTokens, text, requests, after = [] } = facts;
	const context: StartContext = {
		model, random, promptTokens, text,
		weights: (name) => requests.askWeights(name),
		shipped: (name) => requests.askShipped(name, path),
		reading: (reading) => requests.askReading(reading),
		slots(budget: Budget, overhead?: number, perSlot?: number, ragged?: boolean) {
			try {
				return slotsOf(budget, promptTokens, model, { overhead, perSlot, ragged, stored: storedAfter(after, model) });
			} catch (error) {
				if (!(error instanceof BudgetError)) throw error;
				throw new DocumentError(`${path}.params.budget.bytes`, `expected ${error.message}`);
			}
		},
		needsOf: (inner) => needsOf(inner as CompleteSpec),
		inner: (inner) => startMethod(inner as CompleteSpec, facts, `${path}.params.scorer`)
	};
	const method = methodOf(spec);
	if (facts.model.ropeTheta === 0 && method.rerotates?.(spec.params)) {
		throw new DocumentError(path, `expected a method that leaves keys where they stand: ${facts.model.name} learned its positions, and its keys cannot be turned to others`);
	}
	return method.start(context, spec.params);
}

/** What a later method of the stack makes of a head; the first that can say, since slots are encoded once. */
function storedAfter(after: readonly CompleteSpec[], model: ModelShape): BytesOfHead | null {
	for (const spec of after) {
		const stored = methodOf(spec).bytesOfHead?.(spec.params, model);
		if (stored) return stored;
	}
	return null;
}

function methodOf(spec: CompleteSpec): Method {
	const method = methods.get(spec.method);
	if (!method) throw new DocumentError('method', `no method has the id "${spec.method}"`);
	return method;
}
