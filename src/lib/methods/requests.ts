/**
 * What a method asks for when it starts and gets before it acts: weights of the model, statistics
 * shipped for it, texts that the model reads a second time. Asking is free of effects, so a wrapper's
 * inner method asks for itself; whoever runs the methods looks at what was asked and supplies it.
 */
export type WeightName = 'q_proj' | 'k_proj' | 'v_proj' | 'o_proj';

/** Arrays by name, computed beforehand for one model. */
export type Shipped = Readonly<Record<string, Float32Array>>;

/** The prompt as a method may look at it before it is read. */
export interface PromptText {
	/** Token ids. */
	ids: readonly number[];
	/** Tokens of a text that is put behind others: no special token is added. */
	encode(text: string): number[];
	/** [hidden]: the model's own input embedding of a token. */
	embedding(id: number): Float32Array;
}

/**
 * A text that the model reads beside the prompt. It leaves no trace in the cache. Equal readings of
 * several methods are made once. What comes of it is read with `seen.reading(reading)`.
 */
export interface Reading {
	/** Token ids, at least one; 'future': what the run without compression writes after the prompt. */
	ids: readonly number[] | 'future';
	/**
	 * 'prompt': over the cache of the prompt, positions going on after it. In a prompt that is read in
	 * blocks this is the arm's own cache so far. 'nothing': a text of its own, from position 0.
	 */
	over: 'prompt' | 'nothing';
	/** What the reading's queries paid to the prompt's slots; only over the prompt. */
	columns?: {
		/** Over the queries of the reading (of a block of it). */
		take: 'max' | 'mean';
		/** Slots that compete: positions below `sinks` and from `from` to below `to`; all where left out. */
		among?: { sinks: number; from: number; to: number };
		/** Whether the reading's own tokens take part in the softmax, causally. */
		own: boolean;
		/** Each query's row is divided by the length of its token's normed input before it counts. */
		perInput?: boolean;
		/** Queries a block, each block drawn together by itself; all in one where left out. */
		block?: number;
	};
	/** Keep the reading's own keys and values. */
	pairs?: boolean;
	/** Made after every block of a prompt that is read in blocks, not only at its end. */
	everyBlock?: boolean;
}

/** What came of a reading, in one layer. */
export interface ReadingView {
	/** Tokens that were read. */
	n: number;
	/** Blocks of queries: 1 unless `columns.block` was given. */
	blocks: number;
	/** [prompt tokens so far] by logical position; 0 where the cache has no slot, or it did not compete. */
	columns(queryHead: number, block?: number): Float64Array;
	/** [n, headDim] of one KV head. */
	keys(head: number): Float32Array;
	values(head: number): Float32Array;
}

/** By layer, by key of the reading. */
export type MadeReadings = readonly ReadonlyMap<string, ReadingView>[];

/** Whoever runs methods gives these, before they act. */
export interface Supplies {
	/** [outputs, inputs] row-major, without bias. */
	weight(name: WeightName, layer: number): Float32Array;
	shipped(name: string): Shipped;
}

/** What one arm's methods asked for. */
export class Requests {
	readonly weights = new Set<WeightName>();
	/** Name of shipped data -> place of the method in the document that asked first. */
	readonly shipped = new Map<string, string>();
	/** By key. */
	readonly readings = new Map<string, Reading>();
	private supplies: Supplies | null = null;

	supply(supplies: Supplies): void {
		this.supplies = supplies;
	}

	askWeights(name: WeightName): (layer: number) => Float32Array {
		this.weights.add(name);
		return (layer) => this.given(name).weight(name, layer);
	}

	askShipped(name: string, path: string): () => Shipped {
		if (!this.shipped.has(name)) this.shipped.set(name, path);
		return () => this.given(name).shipped(name);
	}

	askReading(reading: Reading): Reading {
		this.readings.set(keyOf(reading), reading);
		return reading;
	}

	private given(what: string): Supplies {
		if (!this.supplies) throw new RangeError(`${what} was asked for, but is there only when the prompt is read`);
		return this.supplies;
	}
}

/** Equal readings have equal keys. */
export function keyOf({ ids, over, columns, pairs, everyBlock }: Reading): string {
	const { take, among, own, perInput, block } = columns ?? {};
	return JSON.stringify([ids, over, columns ? [take, among ? [among.sinks, among.from, among.to] : null, own, perInput ?? false, block ?? 0] : null, pairs ?? false, everyBlock ?? false]);
}

/** Tells what a reading that nobody made would have been for. */
export function readingOf(made: MadeReadings[number], reading: Reading): ReadingView {
	const view = made.get(keyOf(reading));
	if (!view) throw new RangeError('this reading was not asked for when the method started, so it was not made');
	return view;
}
