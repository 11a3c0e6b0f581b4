/**
 * What a run recorded. Views draw traces and nothing else, so that a recorded run, a live run and
 * a test all go through the same pictures. Types only; readings of a trace are in `read.ts`.
 *
 * Axes and orders, everywhere: layer, then KV head (or query head), then position. A *step* i >= 0
 * is the distribution from which token i after the prompt is taken (step 0: the last prompt token
 * run once more over the compressed cache). `PROMPT_STEP` (-1) is the compression of the prompt.
 */
import type { Experiment, MethodSpec } from './experiment.ts';
import type { ByteMatch } from './match.ts';

export const PROMPT_STEP = -1;

export interface ModelShape {
	id: string;
	name: string;
	layers: number;
	/** Query heads of a layer. */
	heads: number;
	kvHeads: number;
	headDim: number;
	hidden: number;
	vocab: number;
	/** Positions the model was made for. */
	context: number;
	/** Base of the rotary angles; 0 when positions are learned and added to the embedding, so that no key turns. */
	ropeTheta: number;
	/** Number of weights. */
	weights: number;
}

export interface EngineInfo {
	backend: 'webgpu' | 'wasm' | 'cpu';
	/** Adapter or CPU in words. */
	adapter: string;
	precision: 'f32';
	/** What the model's weights were rounded to; left out where they were not. Everything is computed in `precision`. */
	weights?: 'f16' | 'int8' | 'int4';
	/** True when WebGPU is a software adapter. */
	software: boolean;
}

/** The state of one cell of the cache map. Order is part of recorded files: append only. */
export const CELL_STATES = [
	'absent', 'kept', 'sink', 'window', 'evicted', 'merged', 'b8', 'b4', 'b3', 'b2',
	'lowrank', 'fetched', 'hidden', 'restored', 'pinned', 'corrupted'
] as const;
export type CellState = (typeof CELL_STATES)[number];

export const BILL_ITEMS = [
	'payload', 'scales', 'zeros', 'codebooks', 'indices', 'positions', 'window', 'state'
] as const;
export type BillItem = (typeof BILL_ITEMS)[number];

/** Bytes, itemised. `total` = sum of items; `fast` = what must be in fast memory. */
export interface Bill {
	total: number;
	fast: number;
	items: Record<BillItem, number>;
	/** What of `items` lies in slow memory; left out where nothing does. */
	slow?: Partial<Record<BillItem, number>>;
	/** Bytes of the full fp16 cache at the same moment / total. */
	ratio: number;
	/** 8 x total / numbers that the full cache would hold. */
	bitsPerNumber: number;
	/** `payload` and `window` split by K and V, for the receipt. */
	payloadK: number;
	payloadV: number;
}

export interface Candidate {
	id: number;
	text: string;
	/** Probability at temperature 1. */
	p: number;
}

export interface StepTrace {
	/** The token taken at this step, and its text as the tokenizer writes it. */
	token: number;
	text: string;
	/** Most likely next tokens of this row, best first. */
	top: Candidate[];
	/** -log p of the token taken, nats. */
	nll: number;
}

export interface ArmStepTrace extends StepTrace {
	/** KL(full || arm), nats, at the same tokens. */
	kl: number;
	/** Same most likely token as the full cache at the same tokens. */
	agrees: boolean;
	/** What the full cache, fed this arm's tokens, would say. */
	fullTop: Candidate[];
	/** This row's probability for each of `fullTop`. */
	pOfFullTop: number[];
	bill: Bill;
}

export type VerbName =
	| 'keep' | 'evict' | 'merge' | 'encode' | 'project' | 'replace' | 'summarise'
	| 'hide' | 'show' | 'share' | 'offload' | 'fetch' | 'restore' | 'corrupt';

/** One term of a score, for the decision inspector: `name` in words of the method's card. */
export interface ScoreTerm {
	name: string;
	/** One value a candidate slot. */
	values: Float32Array;
}

/** Why a verb chose as it did. `scores[i]` belongs to `positions[i]`; kept = above the cut. */
export interface Decision {
	/** Logical positions of the candidates, ascending. */
	positions: Int32Array;
	scores: Float32Array;
	/** 1 where the candidate was protected and did not compete. */
	protected?: Uint8Array;
	terms?: ScoreTerm[];
	/** Score of the last slot that was kept; undefined when nothing competed. */
	cut?: number;
	/** Unit and meaning of the score, a few words. */
	meaning: string;
}

export interface VerbRecord {
	verb: VerbName;
	/** Id of the method that acted, e.g. `snapkv`, or `hand`. */
	by: string;
	step: number;
	layer: number;
	head: number;
	/** Logical positions acted on. */
	positions: Int32Array;
	/** merge: position that received. */
	into?: number;
	/** merge: weights of the sources. */
	weights?: Float32Array;
	/** encode, project: 'K', 'V' and words for the codec. */
	which?: 'K' | 'V';
	codec?: string;
	bits?: number;
	rank?: number;
	/** offload, fetch: bytes moved. */
	bytes?: number;
	/** share: whose numbers they are now; `name` where it is another arm or request. */
	owner?: { layer: number; head: number; name?: string };
	/** corrupt: what flipped, in order. */
	flips?: FlippedBit[];
	decision?: Decision;
}

/** One bit of one number (`channel`) or of an array of an encoded block (`part`), 0 the lowest. */
export interface FlippedBit {
	position: number;
	bit: number;
	channel?: number;
	part?: number;
	/** The number, or the element of the array, before and after. */
	from: number;
	to: number;
}

/** State changes of a step: cell index (layer-major, then head, then position) and new state. */
export interface CellDiff {
	step: number;
	cells: Uint32Array;
	states: Uint8Array;
}

export interface TaskOutcome {
	correct: boolean;
	answer: string;
}

export interface RowTrace {
	steps: StepTrace[];
	text: string;
}

export interface ArmTrace {
	label: string;
	stack: MethodSpec[];
	steps: ArmStepTrace[];
	text: string;
	/** Length of the position axis of `cells`: prompt + all steps that the run may take. */
	span: number;
	/** After the compression of the prompt: Uint8 [layers, kvHeads, span], index into CELL_STATES. */
	cells: Uint8Array;
	diffs: CellDiff[];
	verbs: VerbRecord[];
	billAfterPrompt: Bill;
	/** Logical positions alive after the last compression of the prompt: [layer][KV head]. */
	kept: number[][][];
	/** What `matchBytes` found; `stack` has the values already. */
	matched?: ByteMatch;
	task?: TaskOutcome;
}

export interface PromptTrace {
	ids: number[];
	/** Text of each token; their concatenation is the prompt (byte pieces shown as they decode). */
	texts: string[];
	title?: string;
	question?: string;
	answer?: string;
	/** Token ranges [start, end) which hold the answer. */
	needles: [number, number][];
}

export interface Timings {
	load: number;
	prefill: number;
	perToken: number;
}

export interface Trace {
	version: 1;
	provenance: 'measured' | 'recorded';
	experiment: Experiment;
	engine: EngineInfo;
	model: ModelShape;
	prompt: PromptTrace;
	reference: RowTrace & { task?: TaskOutcome; bytes: number };
	arms: ArmTrace[];
	/** True when no further step will come. */
	done: boolean;
	timings: Timings;
}

/* ---- probes: what a picture asks for beyond the trace ------------------------------------ */

export type ProbeRequest =
	| { kind: 'attention'; arm: number; layer: number; queryHead: number }
	| { kind: 'heads'; arm: number; step: number }
	| { kind: 'lost'; arm: number }
	| { kind: 'types' }
	| { kind: 'matrix'; arm: number; layer: number; head: number; which: 'K' | 'V'; rope: 'before' | 'after' }
	| { kind: 'spectrum'; arm: number; layer: number; head: number }
	| { kind: 'token'; arm: number; position: number };

/** Attention of one query head in every step so far, arm beside the full cache fed the same tokens. */
export interface AttentionProbe {
	kind: 'attention';
	/** Rows: step 0 … steps-1. Columns: position 0 … positions-1. */
	steps: number;
	positions: number;
	full: Float32Array;
	/** 0 where the arm has no such slot. */
	arm: Float32Array;
	/** Mass of `full` on positions that the arm has not got (evicted or hidden), by step. */
	massLost: Float32Array;
	/** Mass that the arm's own read-out put on a summary (0 without one), by step. */
	massOnSummary: Float32Array;
}

/** All heads at one step: [layers, heads, positions] and mass lost [layers, heads]. */
export interface HeadsProbe {
	kind: 'heads';
	step: number;
	positions: number;
	full: Float32Array;
	arm: Float32Array;
	massLost: Float32Array;
}

/** Attention that one token received in every step so far, in every query head: [layers, heads, steps] each. */
export interface TokenProbe {
	kind: 'token';
	position: number;
	steps: number;
	/** In the full cache fed the arm's tokens; 0 before the token was written. */
	full: Float32Array;
	/** 0 where the arm had no such slot. */
	arm: Float32Array;
}

/** How much of what the full cache reads, fed an arm's tokens, the arm has not got (evicted, merged away or hidden). */
export interface LostProbe {
	kind: 'lost';
	steps: number;
	/** Mass lost, 0 to 1, of every query head in every step so far: [steps, layers, heads]. */
	mass: Float32Array;
}

/** Where the reference run's heads look: means over its steps so far, [layers, heads] each; `head-types.ts` says what counts. */
export interface TypesProbe {
	kind: 'types';
	steps: number;
	/** Steps in which a token of the answer was copied from the prompt: `copied` is their mean, 0 where there are none. */
	copies: number;
	first: Float32Array;
	last: Float32Array;
	copied: Float32Array;
}

/** One quantization group as a box on the token x channel plane (ends excluded). */
export interface GroupBox {
	tokenFrom: number;
	tokenTo: number;
	channelFrom: number;
	channelTo: number;
	/** Value of code 0 and distance of codes, where the codec is uniform. */
	lo?: number;
	step?: number;
	bits: number;
}

export interface MatrixProbe {
	kind: 'matrix';
	which: 'K' | 'V';
	rope: 'before' | 'after';
	/** Logical positions of the rows (slots the arm holds), ascending. */
	positions: Int32Array;
	channels: number;
	/** Exact numbers [rows, channels], the arm's rebuilt ones, and which rows are encoded. */
	original: Float32Array;
	rebuilt: Float32Array;
	encoded: Uint8Array;
	/** Row indices, not positions. Empty when the arm encodes nothing here. */
	groups: GroupBox[];
	/** sum (rebuilt-original)^2 / sum original^2 over encoded rows. */
	relativeMse: number;
	codec?: string;
}

export interface SpectrumProbe {
	kind: 'spectrum';
	/** Singular values, descending, of the prompt's K before RoPE, K after RoPE, and V. */
	keyBefore: Float32Array;
	keyAfter: Float32Array;
	value: Float32Array;
	/** Ranks that the arm keeps, where it projects. */
	rankK?: number;
	rankV?: number;
	/** Whether K was projected before or after RoPE. */
	place?: 'before' | 'after';
	/** Rank for 95 % of the energy of every layer and KV head: [layers, kvHeads] each. */
	rank95KeyBefore: Uint16Array;
	rank95KeyAfter: Uint16Array;
	rank95Value: Uint16Array;
}

export type Probe = AttentionProbe | HeadsProbe | LostProbe | TypesProbe | MatrixProbe | SpectrumProbe | TokenProbe;
export type ProbeOf<R extends ProbeRequest> = Extract<Probe, { kind: R['kind'] }>;

/** Where views get what they draw. `probe` gives null when a recording has no such part. */
export interface TraceSource {
	readonly trace: Trace;
	probe<R extends ProbeRequest>(request: R, signal?: AbortSignal): Promise<ProbeOf<R> | null>;
}

/** The key under which a recording holds a probe. */
export function probeKey(request: ProbeRequest): string {
	return Object.values(request).join(':');
}

/** A recorded run: the trace and the probes that were taken, as a file. */
export interface Recording {
	trace: Trace;
	probes: Record<string, Probe>;
}
