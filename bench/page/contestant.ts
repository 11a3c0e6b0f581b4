/** Who takes part. Each contestant lives in a worker of its own, so that no two share an engine. */
export interface Job {
	/** ours, stock, ort, transformers or nanogpt. */
	kind: string;
	backend: 'webgpu' | 'wasm';
	/** Address of the model's directory. */
	model: string;
	/** Threads on wasm. */
	threads: number;
	/** What the kind of contestant understands. */
	options?: Record<string, string | number | boolean>;
}

export interface Opened {
	/** Name and version of the engine. */
	engine: string;
	/** Adapter, or 'CPU'. */
	adapter: string;
	/** Threads it really has on wasm. */
	threads?: number;
	/** What a reader has to know. */
	note?: string;
}

export interface Answer {
	/** Logits of the last token of each row, one after another. Empty when only time was wanted. */
	logits: Float32Array;
	/** Milliseconds of JavaScript until everything was handed to the device, where that can be told. */
	encode?: number;
}

export interface Contestant {
	open(job: Job): Promise<Opened>;
	/** Reads a prompt from nothing. */
	prefill(ids: number[]): Promise<Answer>;
	/** Puts a cache in place, the same for every row. */
	fill(filling: Filling): Promise<void>;
	/** One token more in each row, the logits read back. */
	step(step: Step): Promise<Answer>;
	/** Where the time of a step goes. */
	detail?(): Promise<Detail[]>;
}

/** All dispatches that one kernel has in a step, or in reading a prompt of 256 tokens. */
export interface Detail {
	of: 'step' | 'prefill';
	label: string;
	dispatches: number;
	/** Milliseconds of all of them. */
	ms: number;
}

export interface Filling {
	/** Tokens of a row. */
	context: number;
	rows: number;
	/** Only we understand what follows. Names one of several caches side by side. */
	slot?: string;
	/** Bits of every number but the last tokens'; left out, they are exact. */
	bits?: number;
}

export interface Step {
	id: number;
	slot?: string;
	/** The last token once more: nothing is stored, and nothing but logits read back. */
	transient?: boolean;
}

/** Numbers of a filled cache, [kvHeads x context x headDim]: the same for every contestant. */
export type CacheNumbers = (which: 'key' | 'value', layer: number, count: number) => Float32Array;
