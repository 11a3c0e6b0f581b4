/**
 * A method is one file: `export default defineMethod({...})`. The registry finds it, the catalogue
 * shows it, the lab runs it, the command line knows its id.
 */
import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import type { ModelShape } from '$lib/documents/trace.ts';
import type { Random } from '$lib/numerics/random.ts';
import type { PromptText, Reading, ReadingView, Shipped, WeightName } from './requests.ts';

export type { PromptText, Reading, ReadingView, Shipped, WeightName } from './requests.ts';

export type Family = 'eviction' | 'budget-allocation' | 'quantization' | 'low-rank' | 'merging' | 'retrieval' | 'summary';

/** A parameter: how it is checked, drawn and described. */
export type ParamSpec = { about: string } & (
	| { kind: 'int'; default: number; min: number; max: number; odd?: boolean }
	| { kind: 'number'; default: number; min: number; max: number; step?: number }
	| { kind: 'choice'; default: string | number; options: readonly (string | number)[] }
	| { kind: 'boolean'; default: boolean }
	| { kind: 'budget'; default: Budget }
	/** A method of one of `families` that offers `score`: a wrapper's inner method. */
	| { kind: 'scorer'; default: { method: string; params?: Record<string, unknown> } }
);

/** Values after validation: every parameter is present. */
export type Params = Record<string, unknown>;

/** What a method asks the forward pass to keep. Nothing else is captured or read back. */
export interface Needs {
	/** Rotated queries of the last w prompt tokens. */
	queries?: { last: number } | 'all';
	/** Column sums of the prompt's causal attention, by query head. */
	attentionSums?: boolean;
	/** Keys before rotation. */
	keysBefore?: boolean;
	/** Queries before rotation, of all prompt tokens (normed where the model norms its queries). */
	queriesBefore?: boolean;
	/** Each decode step: attention over the slots, by query head. */
	stepAttention?: boolean;
	/** Each decode step: the rotated query. */
	stepQuery?: boolean;
	/** What the model says next: logits after the prompt and at each decode step. */
	nextLogits?: boolean;
}

export interface Rope {
	readonly invFreq: Float64Array;
	/** Rotates [rows, headDim] by each row's angle (any sign), float64 inside, returns a new array. */
	rotate(rows: Float32Array, positions: ArrayLike<number>, headDim: number): Float32Array;
}

/** What a method sees when the prompt (or a block of it) has been read. Arrays are read-only. */
export interface PromptView {
	/** Prompt tokens. */
	n: number;
	model: ModelShape;
	rope: Rope;
	/** [n, headDim] of one KV head: exact, in logical order, before any method of the stack acted. */
	keys(head: number): Float32Array;
	keysBefore(head: number): Float32Array;
	values(head: number): Float32Array;
	/** [w, headDim] of one query head: the last w rotated queries (w = what was asked for, at most n). */
	queries(queryHead: number): Float32Array;
	/** [n] float64 column sums of the causal softmax of one query head. */
	attentionSums(queryHead: number): Float64Array;
	/** [n, headDim] of one query head. */
	queriesBefore(queryHead: number): Float32Array;
	/** [vocab] logits of the token that follows what has been read; one array for all layers. */
	nextLogits(): Float32Array;
	/** What came of a reading that the method asked for at its start. */
	reading(reading: Reading): ReadingView;
}

/** What a method sees after a decode step has been appended. */
export interface StepView {
	step: number;
	/** Logical position of the token that was appended. */
	position: number;
	model: ModelShape;
	rope: Rope;
	/**
	 * Logical positions of the slots that the step's attention ran over, the new slot last. A method
	 * earlier in the stack may have evicted some of them since, so this, not the layer, is what
	 * `attention` is aligned with.
	 */
	positions(head: number): Int32Array;
	/** [headDim] */
	query(queryHead: number): Float32Array;
	/** Attention of the step over those slots; sums to 1 (less a summary's share). */
	attention(queryHead: number): Float32Array;
	/** [vocab] logits of the token that follows the one that was appended; one array for all layers. */
	nextLogits(): Float32Array;
}

/** What a retrieval method sees before a read. The new token's slot is already in the layer. */
export interface AttendView {
	step: number;
	position: number;
	model: ModelShape;
	query(queryHead: number): Float32Array;
}

/** Scores of one layer: one row a KV head over its slots; higher stays. Wrappers build on this. */
export interface Scores {
	/** [kvHeads] arrays of length = slots. */
	byHead: Float64Array[];
	/** Slots that the scorer always keeps (its window, its sinks), by head. */
	always?: Uint8Array[];
	terms?: { name: string; byHead: Float64Array[] }[];
	meaning: string;
}

export interface MethodInstance {
	/** Scores of the layer's present slots after the prompt; present on scorers. */
	score?(layer: LayerCache, seen: PromptView): Scores;
	prefilled?(layer: LayerCache, seen: PromptView): void;
	/** In place of `prefilled` for methods that choose over all layers together: one call, arrays by layer. */
	prefilledAll?(layers: readonly LayerCache[], seen: readonly PromptView[]): void;
	blockEnded?(layer: LayerCache, seen: PromptView): void;
	appended?(layer: LayerCache, seen: StepView): void;
	attending?(layer: LayerCache, seen: AttendView): void;
	turnEnded?(layer: LayerCache): void;
	requestArrived?(layer: LayerCache): void;
}

export interface StartContext {
	model: ModelShape;
	random: Random;
	/** Prompt tokens, known before the run. */
	promptTokens: number;
	text: PromptText;
	/** Asks for a projection: once the prompt is being read, a layer's [outputs, inputs], row-major, without bias. */
	weights(name: WeightName): (layer: number) => Float32Array;
	/** Asks for data shipped with the model. Where there is none the run is refused with the reason. */
	shipped(name: string): () => Shipped;
	/** Asks for a second reading; gives it back, for `seen.reading`. */
	reading(reading: Reading): Reading;
	/**
	 * A budget as slots a head, after this method's own fixed bytes a head (`overhead`) and bytes a
	 * slot (`perSlot`) are taken off. A fraction of 1 gives Infinity: no limit, at decode neither. Bytes are those that
	 * the cache ends at when later methods of the stack have acted (`bytesOfHead`); say `ragged` where heads will differ in length.
	 */
	slots(budget: Budget, overhead?: number, perSlot?: number, ragged?: boolean): number;
	/** What an inner method asks of the forward pass, for wrappers that go on supplying it. */
	needsOf(spec: unknown): Needs;
	/** Starts an inner method (wrappers). */
	inner(spec: unknown): MethodInstance;
}

export interface Method {
	id: string;
	title: string;
	/** One line below the title; tells clashing names apart. */
	subtitle: string;
	family: Family;
	paper: string;
	/** How sure we are of the method as published, from its card. */
	confidence: string;
	/** "ours" changes, if any. */
	ours?: string;
	/** Where it is known to fail, from its card. */
	failures?: string;
	/** What it does, two or three sentences for a reader. */
	idea: string;
	acts: string;
	/** KaTeX source. */
	formula: string;
	bytes: string;
	sources: string[];
	params: Record<string, ParamSpec>;
	/** Its instances offer `score`, so wrappers may take it as their scorer. */
	scorer?: true;
	/** Moves keys to other positions by turning them, which a model with learned positions does not allow. */
	rerotates?(params: Params): boolean;
	/**
	 * Bytes of the keys and values of a head of so many exact slots once the method has acted on them after the
	 * prompt; null (or nothing) where it leaves them as they are or cannot say before the run.
	 */
	bytesOfHead?(params: Params, model: ModelShape): ((slots: number) => number) | null;
	/**
	 * Parameters that decide how many bytes the cache takes, where that is not a budget: numbers, raised in turn in this
	 * order when bytes are matched. `falls`: greater values take fewer bytes.
	 */
	size?: { params: readonly string[]; falls?: true };
	/** What no single ParamSpec can say, e.g. that one parameter is a multiple of another. */
	check?(params: Params): { param: string; expected: string } | null;
	needs(params: Params, inner?: (spec: unknown) => Needs): Needs;
	start(context: StartContext, params: Params): MethodInstance;
}

/** Identity with types: what a method's file exports by default. */
export function defineMethod(method: Method): Method {
	return method;
}
