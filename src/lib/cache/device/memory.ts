/**
 * The working copy of many rows' caches on the device, and the memory that the decoder reads it
 * through. One row an arm; a row's `ArmCache` stays the truth and is followed before each pass.
 *
 * A pass is: `begin`, `decoder.forward(ids, pass, memory)`, `finish`. Between passes verbs may
 * change the stores. An `ArmCache` belongs to at most one `DeviceMemory`.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { ModelShape } from '$lib/documents/trace.ts';
import type { LayerInput, Memory, Pass } from '$lib/model/types.ts';
import { appendSlots, attention, mergeSummary } from '$lib/ops/index.ts';
import type { ArmCache } from '../arm-cache.ts';
import type { LayerStore } from '../layer-cache.ts';
import { HIDDEN, LayerCopy } from './layer-copy.ts';
import { hold, lastQueries } from './prefill.ts';
import { readAll } from './readback.ts';
import { Seen, type LayerSeen } from './seen.ts';

/**
 * Called in each layer before a row reads it. When a token is appended its slot is already in the
 * layer; when the last prompt token is run once more, the layer is as it was (nothing is stored).
 */
export type Attending = (layer: LayerStore, query: (queryHead: number) => Float32Array) => void;

export interface PassWants {
	/** Attention of the last token over the slots. */
	attention?: boolean;
	/** Rotated queries of the last w tokens. */
	queries?: { last: number } | 'all';
	/** Column sums of the pass's attention. */
	attentionSums?: boolean;
	keysBefore?: boolean;
	/** By row; absent rows have nothing to say. */
	attending?: ReadonlyMap<number, Attending>;
}

/**
 * `transient`: the last token that was read is run once more. Its stored slot is hidden, its own
 * key and value are visible, nothing is stored.
 * `append`: new tokens, one or several a row, are stored exactly.
 */
export type PassKind = 'transient' | 'append';

interface Running {
	kind: PassKind;
	pass: Pass;
	wants: PassWants;
	/** Logical position of the first token of each row. */
	first: Int32Array;
	held: Partial<Record<keyof LayerSeen | 'keys' | 'values', tf.Tensor>>[];
	/** Places of the pass's tokens: [layer][row x kvHeads + head]. */
	at: Int32Array[];
	/** Layers whose new slots are in the stores already. */
	stored: boolean[];
}

export class DeviceMemory implements Memory {
	private readonly copies: LayerCopy[];
	private readonly shape: ModelShape;
	private running: Running | null = null;

	/**
	 * Uploads all rows. `capacity`: slots a head that must fit at any time, new tokens of a pass
	 * included. Throws RangeError when a row holds more already.
	 */
	constructor(
		readonly arms: readonly ArmCache[],
		capacity: number
	) {
		this.shape = arms[0].shape;
		this.copies = this.shape.layers === 0 ? [] : Array.from({ length: this.shape.layers }, (_, layer) => {
			const heads = arms.flatMap((arm) => arm.layers[layer].heads);
			// One more place is scratch for the re-run of the last prompt token.
			return new LayerCopy(heads, arms.length, capacity + 1, this.shape.headDim);
		});
	}

	/** Starts a pass of `tokens` tokens a row and says where it stands. */
	begin(kind: PassKind, wants: PassWants = {}, tokens = 1): Pass {
		if (this.running) throw new Error('a pass is running already: call finish first');
		if (kind === 'transient' && tokens !== 1) throw new RangeError('one token a row is run once more, not several');
		if (wants.attending?.size && tokens !== 1) throw new RangeError('a row may speak before a read only when one token is read');
		const back = kind === 'transient' ? 1 : 0;
		const pass = { batch: this.arms.length, tokens, start: Int32Array.from(this.arms, (arm) => arm.nextPosition() - back) };
		const first = Int32Array.from(this.arms, (arm) => arm.tokens - back);
		this.running = { kind, pass, wants, first, held: [], at: [], stored: [] };
		this.copies.forEach((copy, layer) => {
			this.eachHead((index) => copy.follow(index));
			this.running!.at[layer] = Int32Array.from({ length: this.heads }, (_, index) =>
				kind === 'transient' ? copy.capacity - 1 : copy.reserve(index, tokens));
			if (kind === 'transient') this.setOwnSlots(layer, () => HIDDEN);
			copy.flush();
		});
		return pass;
	}

	wantsKeyBefore(): boolean {
		return this.running?.wants.keysBefore ?? false;
	}

	async attend({ layer, query, key, keyBefore, value }: LayerInput): Promise<tf.Tensor> {
		const running = this.expectPass();
		const copy = this.copies[layer];
		const held = (running.held[layer] = {} as Running['held'][number]);
		if (running.wants.attending?.size) await this.letRowsSpeak(layer, query, key, value);
		if (running.kind === 'append' && !running.stored[layer]) {
			held.keys = hold(key);
			held.values = hold(value);
		}
		if (running.wants.queries) held.queries = lastQueries(query, running.wants.queries);
		if (keyBefore) held.keysBefore = hold(keyBefore);

		const at = running.at[layer];
		appendSlots(copy.keys, copy.values, key, value, at);
		const summary = copy.summary;
		const result = attention(query, copy.keys, copy.values, copy.bias, at, {
			probabilities: running.wants.attention, columnSums: running.wants.attentionSums, outOnly: !summary
		});
		if (result.probabilities) held.attention = tf.keep(result.probabilities);
		if (result.columnSums) held.attentionSums = tf.keep(result.columnSums);
		if (!summary) return result.out;
		const merged = mergeSummary(result.out, result.logSumExp!, query, summary);
		result.out.dispose();
		held.logBefore = tf.keep(result.logSumExp!);
		held.logAfter = tf.keep(merged.logSumExp);
		return merged.out;
	}

	/** Reads back what was wanted, stores the new tokens, and ends the pass. */
	async finish(): Promise<Seen> {
		const running = this.expectPass();
		const layers = await this.readHeld(running);
		this.running = null;
		const { tokens } = running.pass;
		const capacity = this.copies[0].capacity;
		if (running.kind === 'append') {
			layers.forEach(({ keys, values }, layer) => {
				if (keys && values) this.store(running, layer, keys, values);
			});
		} else {
			this.copies.forEach((_, layer) => this.setOwnSlots(layer, (bias) => bias));
		}
		const positions = running.wants.attention ? this.copies.map((_, layer) => this.positionsAtPlaces(layer, running)) : [];
		const { heads, kvHeads, headDim } = this.shape;
		return new Seen({ rows: this.arms.length, heads, kvHeads, headDim, capacity, tokens }, this.arms, layers, positions);
	}

	/** Drops a pass that failed half way: frees its tensors, stores nothing. The rows cannot be used further. */
	abandon(): void {
		for (const held of this.running?.held ?? []) tf.dispose(Object.values(held ?? {}));
		this.running = null;
	}

	dispose(): void {
		this.abandon();
		for (const copy of this.copies) copy.dispose();
	}

	/* ---- inside ---- */

	/** Rows x KV heads. */
	private get heads(): number {
		return this.arms.length * this.shape.kvHeads;
	}

	private eachHead(visit: (index: number, row: number, head: number) => void): void {
		const { kvHeads } = this.shape;
		for (let index = 0; index < this.heads; index++) visit(index, Math.floor(index / kvHeads), index % kvHeads);
	}

	private expectPass(): Running {
		if (!this.running) throw new Error('no pass is running: call begin first');
		return this.running;
	}

	/** Reads one layer's query, key and value now, stores the token, and lets the rows change what is read. */
	private async letRowsSpeak(layer: number, query: tf.Tensor, key: tf.Tensor, value: tf.Tensor): Promise<void> {
		const running = this.expectPass();
		const [queries, keys, values] = await readAll([query, key, value]);
		if (running.kind === 'append') {
			this.store(running, layer, keys, values);
			running.stored[layer] = true;
		}
		const { heads, headDim } = this.shape;
		for (const [row, speak] of running.wants.attending!) {
			speak(this.arms[row].layers[layer], (queryHead) => {
				const at = (row * heads + queryHead) * headDim;
				return queries.subarray(at, at + headDim);
			});
		}
		const copy = this.copies[layer];
		this.eachHead((index) => copy.follow(index));
		if (running.kind === 'transient') this.setOwnSlots(layer, () => HIDDEN);
		copy.flush();
	}

	/** Stores a pass's tokens: keys and values [rows, kvHeads, tokens, headDim]. */
	private store(running: Running, layer: number, keys: Float32Array, values: Float32Array): void {
		const { tokens, start } = running.pass;
		const d = this.shape.headDim;
		this.eachHead((index, row, head) => {
			for (let t = 0; t < tokens; t++) {
				const from = (index * tokens + t) * d;
				const place = running.at[layer][index] + t;
				this.arms[row].append(layer, head, keys.subarray(from, from + d), values.subarray(from, from + d),
					running.first[row] + t, start[row] + t, place);
				this.copies[layer].setBias(index, place, 0);
			}
		});
	}

	/** Sets the bias of the stored slot of each row's last token, where there is one. */
	private setOwnSlots(layer: number, biasOf: (own: number) => number): void {
		this.eachHead((index, row, head) => {
			const { length, slots } = this.arms[row].layers[layer].heads[head];
			const last = length - 1;
			if (last < 0 || slots.columns.position[last] !== this.arms[row].tokens - 1) return;
			const own = slots.columns.hidden[last] ? HIDDEN : slots.columns.bias[last];
			this.copies[layer].setBias(index, slots.columns.place[last], biasOf(own));
		});
	}

	private positionsAtPlaces(layer: number, running: Running): Int32Array {
		const { capacity } = this.copies[layer];
		const positions = new Int32Array(this.heads * capacity).fill(-1);
		this.eachHead((index, row, head) => {
			const { length, slots } = this.arms[row].layers[layer].heads[head];
			for (let slot = 0; slot < length; slot++) positions[index * capacity + slots.columns.place[slot]] = slots.columns.position[slot];
			if (running.kind === 'transient') positions[index * capacity + running.at[layer][index]] = running.first[row];
		});
		return positions;
	}

	/** All that was held, in one read. */
	private async readHeld(running: Running): Promise<(LayerSeen & { keys?: Float32Array; values?: Float32Array })[]> {
		const names = running.held.map((held) => Object.keys(held) as (keyof typeof held)[]);
		const tensors = running.held.flatMap((held, layer) => names[layer].map((name) => held[name]!));
		try {
			const numbers = await readAll(tensors);
			let next = 0;
			return names.map((list) => Object.fromEntries(list.map((name) => [name, numbers[next++]])));
		} finally {
			tf.dispose(tensors);
			running.held = [];
		}
	}
}
