/**
 * The experiment document: the one description of a run that the page, a link, a lesson, a test
 * and the command line share. Plain JSON; types only here, validation in `schema.ts`.
 */

export const EXPERIMENT_VERSION = 1;

/** How much of the cache a method may keep. Exactly one key is set. */
export type Budget =
	/** Share of the prompt's tokens, per head: max(1, floor(n x fraction)) slots. */
	| { fraction: number }
	/** Slots per head. */
	| { tokens: number }
	/** Bytes of the whole cache of the arm, everything that is stored included. */
	| { bytes: number };

export type ParamValue = number | string | boolean | Budget | MethodSpec;

/** One method with its parameters. A wrapper (adakv, merging-press) has a MethodSpec as a parameter. */
export interface MethodSpec {
	method: string;
	params?: Record<string, ParamValue>;
}

/** Whose bytes after the prompt an arm is to cost: another arm's (its index), or a number of bytes. */
export type MatchBytes = { arm: number } | { bytes: number };

/** What a reader's hand may do to tokens of an arm's cache. */
export const EDIT_ACTS = ['pin', 'evict', 'restore', 'keep'] as const;
export type EditAct = (typeof EDIT_ACTS)[number];

/**
 * A decision by hand. `pin` protects tokens from every method (and restores those that are gone), `evict` takes them
 * away, `restore` puts them back exact, `keep` takes away all others.
 */
export interface Edit {
	/** k >= 0: just before step k, which is the first to feel it. -1: before the arm's methods compress the prompt. */
	step: number;
	act: EditAct;
	/** Logical positions; those that are not, or are already, in the cache are left as they are. */
	positions: number[];
	/** Left out: in all layers. */
	layer?: number;
	/** KV head; left out: in all heads. */
	head?: number;
}

/** One arm: methods applied in order to the same cache. */
export interface ArmSpec {
	label?: string;
	stack: MethodSpec[];
	/** Before the run the size of the arm (a budget, bits, ranks) is set so that it comes closest to this. */
	matchBytes?: MatchBytes;
	/** What a hand does to it, in this order. */
	edits?: Edit[];
}

export interface ChatMessage {
	role: 'system' | 'user' | 'assistant';
	content: string;
}

export type PromptSpec =
	| { text: string }
	| { tokens: number[] }
	| { chat: ChatMessage[] }
	| { task: string; seed: number; [option: string]: string | number | boolean };

export type ForcedSpec = string | { tokens: number[] };

export interface GenerateSpec {
	tokens: number;
	temperature: number;
	topK: number;
	topP: number;
	seed: number;
}

export type ReportPart = 'steps' | 'bill' | 'kept' | 'logits';

export interface Experiment {
	version: 1;
	/** Embedded model id, `hf:ORG/NAME[@rev]`, or `path:DIR` (command line). */
	model: string;
	prompt: PromptSpec;
	/** Text or tokens fed after the prompt, one a step, to every arm and the reference. */
	forced?: ForcedSpec;
	generate: GenerateSpec;
	prefill: { block: number | null };
	arms: ArmSpec[];
	report: ReportPart[];
	/** Page only; opaque below the page. */
	view?: Record<string, unknown>;
}

export const DEFAULT_GENERATE: GenerateSpec = { tokens: 64, temperature: 0, topK: 0, topP: 1, seed: 0 };
