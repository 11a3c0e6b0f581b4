/**
 * What a method may do to a cache. A `LayerCache` is one arm's cache of one layer; its numbers on
 * the CPU are the truth, the tensors that attention reads are a working copy that follows it.
 *
 * A *slot* holds one key and one value of one KV head. Methods name slots by *slot index*: the
 * place in position order, 0 … length(head)-1, at the moment of the call. A slot's logical position
 * is another thing (`positions(head)`), and its rotary angle a third (`rotaryPositions(head)`,
 * equal to the logical position unless keys were re-rotated).
 */
import type { Bill, BillItem, Decision } from '$lib/documents/trace.ts';

export type Which = 'K' | 'V';
export type PackedArray = Uint8Array | Uint16Array | Uint32Array | Int8Array | Int32Array | Float32Array;

/** One array that the packed cache consists of, and the line of the bill that it belongs to. */
export interface PackedPart {
	item: BillItem;
	array: PackedArray;
}

/** An encoded block of `rows` tokens x `columns` channels. `parts` are the only stored bytes. */
export interface Payload {
	/** Id of the codec that wrote it. */
	codec: string;
	rows: number;
	columns: number;
	parts: PackedPart[];
}

/** Group drawn in the quantization picture; row and column ranges, ends excluded. */
export interface CodecGroup {
	rowFrom: number; rowTo: number; columnFrom: number; columnTo: number;
	lo?: number; step?: number; bits: number;
}

/**
 * How a uniform codec lays out `parts`: codes as a bitstream a row (`payload`), a half-float step a group
 * (`scales`) and, unless symmetric, a half-float value of code 0 (`zeros`).
 */
export interface UniformLayout {
	bits: number;
	/** Groups lie along the channels of a token, or along consecutive tokens of a channel. */
	axis: 'token' | 'channel';
	group: number;
	symmetric: boolean;
}

/** Turns a block of numbers into packed bytes and back. Pure: no state, no tensors. */
export interface Codec {
	readonly id: string;
	/** Words for the reader, e.g. "2 bits a channel, groups of 32". */
	readonly title: string;
	/** Nominal bits a number (16 for none); a projection has 16 and a rank. */
	readonly bits: number;
	readonly rank?: number;
	/** Present where codes stand on a ruler a group, so that attention may read them as they are (see `device/packing.ts`). */
	readonly uniform?: UniformLayout;
	/** Says that slots stay exact, as they are billed anyway. */
	readonly exact?: true;
	/** `block` is row-major [rows, columns]. Throws RangeError for a shape it cannot hold. */
	encode(block: Float32Array, rows: number, columns: number): Payload;
	decode(payload: Payload): Float32Array;
	groups(payload: Payload): CodecGroup[];
	/** Present when rows are stored apart: the payload of these rows alone, so that a dead row costs nothing. */
	keepRows?(payload: Payload, rows: ArrayLike<number>): Payload;
	/**
	 * Present where values are not stored but follow from the keys of their slots, before rotation and as the cache holds
	 * them at the moment: [rows, columns] -> [rows, columns]. What `decode` gives is then not read.
	 */
	fromKeys?(keys: Float32Array, payload: Payload): Float32Array;
	/** Present where some bits belong to one number alone: which, in the array of a part. */
	bitsOf?(payload: Payload, row: number, channel: number): { part: number; from: number; count: number };
}

/** Numbers of some tokens of one head, as `restore` and `replace` take them. */
export interface SlotNumbers {
	/** Logical positions, ascending. */
	positions: Int32Array;
	/** Keys turned to `angles`, and values, [positions.length, headDim] each. */
	keys: Float32Array;
	values: Float32Array;
	/** Left out: the positions. */
	angles?: Int32Array;
}

/** Whose numbers shared slots are. */
export interface SlotOwner {
	/** The layer of this arm or of another one. */
	layer: LayerCache;
	head: number;
	/** Words for the arm or request, where it is another one. */
	name?: string;
}

/** How an exact number is stored where one of its bits flips. */
export type Word = 'f16' | 'bf16' | 'f32';

/**
 * One bit that flips. `channel`: bit of one number, 0 the lowest, of its word where the slot is exact, of its code
 * where it is encoded. `part`: bit of an array of the slot's block, 0 the lowest of the first element.
 */
export type Fault = { slot: number; bit: number } & ({ channel: number } | { part: number });

export interface Reasons {
	/** Method id; the arm fills it in. */
	by?: string;
	decision?: Decision;
}

export interface MergeInstruction {
	/** Slot index that receives. */
	into: number;
	/** Slot indices folded in (they are evicted by the merge). */
	from: number[];
	weights: number[];
	/** New value (and key, if it changes), [headDim]. */
	value: Float32Array;
	key?: Float32Array;
	/** log-multiplicity added to the slot's logit; 0 when mass is not corrected. */
	bias?: number;
}

/** Affine summary of evicted pairs, merged into the read-out by log-sum-exp (see momentkv). */
export interface Summary {
	/** log of the weight at the mean key: log n. -Infinity = nothing summarised. */
	logCount: number;
	/** [headDim] */
	meanKey: Float32Array;
	/** [headDim] */
	meanValue: Float32Array;
	/** [headDim x headDim], row = value channel: f(q) = meanValue + matrix q (scale folded in). */
	matrix: Float32Array;
	/** Arrays that exist for it, billed as `state`. */
	parts: PackedPart[];
}

/** The verbs and readings that a method has on its layer. Every verb is recorded. */
export interface LayerCache {
	readonly layer: number;
	readonly kvHeads: number;
	readonly headDim: number;

	/* readings (copies or read-only views; never write into them) */
	length(head: number): number;
	/** Logical positions, ascending. */
	positions(head: number): Int32Array;
	/** Angles the keys are rotated to. */
	rotaryPositions(head: number): Int32Array;
	/** Keys as the cache presents them (decoded, rotated), [length, headDim]. */
	keys(head: number): Float32Array;
	values(head: number): Float32Array;
	bias(head: number): Float32Array;
	/** 1 where the slot is protected. */
	protectedSlots(head: number): Uint8Array;
	/** 1 where K (or V) of the slot is still exact. */
	exact(head: number, which: Which): Uint8Array;
	/** 1 where attention does not read the slot: hidden, or offloaded. */
	hidden(head: number): Uint8Array;
	/** 1 where the slot's numbers lie in slow memory. */
	offloaded(head: number): Uint8Array;
	/** 1 where K (or V) of the slot is another head's. */
	shared(head: number, which: Which): Uint8Array;
	/** Copies of what these slots hold, by position. Throws RangeError where the head has no such slot. */
	numbersAt(head: number, positions: ArrayLike<number>): SlotNumbers;
	summary(head: number): Summary | null;

	/* verbs */
	/** Keeps exactly these slots plus the protected ones; the rest is evicted. */
	keep(head: number, slots: ArrayLike<number>, reasons?: Reasons): void;
	/** Evicts; protected slots in the list are refused silently and stay. */
	evict(head: number, slots: ArrayLike<number>, reasons?: Reasons): void;
	merge(head: number, merges: MergeInstruction[], reasons?: Reasons): void;
	/** Encodes K or V of these slots as one block (write once: slots must be exact). */
	encode(head: number, which: Which, slots: ArrayLike<number>, codec: Codec, reasons?: Reasons): void;
	/** Encodes keys before rotation: they are un-rotated, encoded, and rotated after decoding. */
	encodeBeforeRope(head: number, slots: ArrayLike<number>, codec: Codec, reasons?: Reasons): void;
	/** New K, V, bias for the whole head (compaction). */
	replace(head: number, slots: { positions: Int32Array; keys: Float32Array; values: Float32Array; bias: Float32Array }, reasons?: Reasons): void;
	/** Re-rotates kept keys so that slot j stands at angle j. Decoding continues at `length`. */
	rerotate(head: number, reasons?: Reasons): void;
	summarise(head: number, summary: Summary, positions: ArrayLike<number>, reasons?: Reasons): void;
	hide(head: number, slots: ArrayLike<number>, reasons?: Reasons): void;
	/** An offloaded slot stays unread until it is fetched. */
	show(head: number, slots: ArrayLike<number>, reasons?: Reasons): void;
	/**
	 * Puts evicted slots back, exact, at their positions. The cache keeps nothing of what was evicted: the numbers are
	 * the caller's, e.g. `seen.keys` or `numbersAt` of the reference, and a method that keeps them pays for them
	 * (`holdState`). Where keys were re-rotated, call `rerotate` again afterwards.
	 */
	restore(head: number, source: SlotNumbers, reasons?: Reasons): void;
	/**
	 * Moves the numbers to slow memory, where attention cannot read them; positions stay. A block whose tokens
	 * share a ruler moves with its last slot, and comes back with its first; codebooks stay.
	 */
	offload(head: number, slots: ArrayLike<number>, reasons?: Reasons): void;
	fetch(head: number, slots: ArrayLike<number>, reasons?: Reasons): void;
	/**
	 * K or V of these slots becomes the owner's at the same positions, one array for both, which the owner pays for.
	 * When either side changes or drops it, the other keeps its own. Both must stand at the same angles.
	 */
	share(head: number, which: Which, slots: ArrayLike<number>, owner: SlotOwner, reasons?: Reasons): void;
	/**
	 * Flips bits of what is stored; all that read or share it read what the bits then say, infinite or no number
	 * included. An exact number is rounded to `word` first, default f16, which is what the bill counts.
	 */
	corrupt(head: number, which: Which, faults: readonly Fault[], options?: Reasons & { word?: Word }): void;
	/** Marks slots for the pictures; `window` slots beside an encoding are billed as window. */
	mark(head: number, slots: ArrayLike<number>, role: 'sink' | 'window' | 'none'): void;
	/** Protects by logical position: sinks, windows, pins. In all heads, or in one alone. */
	protect(positions: ArrayLike<number>, reason: string, head?: number): void;
	/** Takes back what `protect` said of the same heads. */
	unprotect(positions: ArrayLike<number>, head?: number): void;
	/** Says that this arm encodes, so that exact `window` slots are billed as window even before the first block. */
	declareEncoding(): void;
	/** Bytes that a method's own state holds and reads at decode (page bounds, accumulators). */
	holdState(name: string, parts: PackedPart[]): void;
}

/** All layers of one arm. */
export interface ArmCache {
	readonly layers: LayerCache[];
	bill(): Bill;
	/** Every array of the packed cache; `bill()` is the sum of their byte lengths by item. */
	pack(): PackedPart[];
	/** Rotary position of the next token. */
	nextPosition(): number;
}
