/**
 * The working copy of many rows' caches on the device, and the memory that the decoder reads it
 * through. One row an arm; a row's `ArmCache` stays the truth and is followed before each pass.
 *
 * A pass is: `begin`, `decoder.forward(ids, pass, memory)`, `finish`. Between passes verbs may
 * change the stores. An `ArmCache` belongs to at most one `DeviceMemory`.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LayerInput, Memory, Pass } from '$lib/model/types.ts';
import { attentionPacked, type PackedSegment } from '$lib/ops/attention-packed/index.ts';
import { appendSlots, attention, attentionTogether, mergeSummary, readMany, type AttentionResult } from '$lib/ops/index.ts';
import type { ArmCache } from '../arm-cache.ts';
import { attentionRows, readHeld, type PassKind, type PassWants, type Running } from './pass.ts';
import { hold, lastQueries } from './prefill.ts';
import { Rows } from './rows.ts';
import { Seen } from './seen.ts';

export interface MemoryOptions {
	/** Whether encoded slots are read as codes where that can be done; otherwise they are decoded once. Default: on WebGPU. */
	packs?: boolean;
}

export class DeviceMemory implements Memory {
	private readonly rows: Rows;
	private running: Running | null = null;

	/**
	 * Uploads all rows. `capacity`: slots a head that must fit at any time, new tokens of a pass
	 * included. Throws RangeError when a row holds more already.
	 */
	constructor(readonly arms: readonly ArmCache[], capacity: number, { packs = tf.getBackend() === 'webgpu' }: MemoryOptions = {}) {
		this.rows = new Rows(arms, capacity, packs);
	}

	/** Bytes that hold encoded slots as codes on the device, room for more included. */
	get packedBytes(): number {
		return this.rows.copies.reduce((sum, { packed }) => sum + packed.deviceBytes, 0);
	}

	/** Starts a pass of `tokens` tokens a row and says where it stands. */
	begin(kind: PassKind, wants: PassWants = {}, tokens = 1): Pass {
		if (this.running) throw new Error('a pass is running already: call finish first');
		if (kind === 'transient' && tokens !== 1) throw new RangeError('one token a row is run once more, not several');
		if (wants.attending?.size && tokens !== 1) throw new RangeError('a row may speak before a read only when one token is read');
		const back = kind === 'transient' ? 1 : 0;
		const pass = { batch: this.arms.length, tokens, start: Int32Array.from(this.arms, (arm) => arm.nextPosition() - back) };
		const first = Int32Array.from(this.arms, (arm) => arm.tokens - back);
		const running: Running = { kind, pass, wants, first, held: [], packed: [], at: [], stored: [] };
		this.rows.copies.forEach((copy, layer) => {
			this.rows.follow(layer);
			running.at[layer] = Int32Array.from({ length: this.rows.heads }, (_, index) =>
				kind === 'transient' ? copy.capacity - 1 : copy.reserve(index, tokens));
			if (kind === 'transient') this.rows.setOwnSlots(layer, false);
		});
		this.rows.flush();
		this.running = running;
		return pass;
	}

	wantsKeyBefore(): boolean {
		return this.running?.wants.keysBefore ?? false;
	}

	async attend({ layer, query, key, keyBefore, value }: LayerInput): Promise<tf.Tensor> {
		const running = this.expectPass();
		const copy = this.rows.copies[layer];
		const held = (running.held[layer] = {} as Running['held'][number]);
		if (running.wants.attending?.size) await this.letRowsSpeak(layer, query, key, value);
		if (running.kind === 'append' && !running.stored[layer]) {
			held.keys = hold(key);
			held.values = hold(value);
		}
		if (running.wants.queries) held.queries = lastQueries(query, running.wants.queries);
		if (keyBefore) held.keysBefore = hold(keyBefore);

		const at = running.at[layer];
		// Where the stores had the token before, what they say of its slot has been sent already.
		const shows = running.kind === 'append' && !running.stored[layer];
		appendSlots(copy.keys, copy.values, key, value, at, shows ? copy.bias : undefined);
		const summary = copy.summaries.tensors;
		const segments = copy.packed.segments();
		const { attention: wantsAttention, attentionSums: wantsSums } = running.wants;
		// A token that is run once more stands on the last place.
		const used = running.kind === 'transient' ? copy.capacity : copy.used;
		if (segments.length && !summary && !wantsAttention && !wantsSums) {
			const together = attentionTogether(query, copy.keys, copy.values, copy.bias, at, used);
			const { out } = attentionPacked(query, segments, { onto: { together }, outOnly: true });
			together.dispose();
			return out;
		}
		// Column sums over two kinds of places need every token's own share of each.
		const result = attention(query, copy.keys, copy.values, copy.bias, at, {
			probabilities: Boolean(wantsAttention) || (wantsSums && segments.length > 0),
			columnSums: wantsSums && segments.length === 0, outOnly: !summary && segments.length === 0, used
		});
		if (result.probabilities) held.attention = tf.keep(result.probabilities);
		if (result.columnSums) held.attentionSums = tf.keep(result.columnSums);
		if (segments.length) this.readPages(layer, query, segments, result);
		if (!summary) {
			if (result.logSumExp && held.logBefore !== result.logSumExp) result.logSumExp.dispose();
			return result.out;
		}
		const merged = mergeSummary(result.out, result.logSumExp!, query, summary);
		result.out.dispose();
		held.logBefore = tf.keep(result.logSumExp!);
		held.logAfter = tf.keep(merged.logSumExp);
		return merged.out;
	}

	/** Reads a layer's pages and puts what they give together with `result`. */
	private readPages(layer: number, query: tf.Tensor, segments: PackedSegment[], result: AttentionResult): void {
		const running = this.expectPass();
		const held = running.held[layer];
		const onto = { out: result.out, logSumExp: result.logSumExp! };
		const both = attentionPacked(query, segments, { onto, probabilities: held.attention !== undefined });
		onto.out.dispose();
		if (both.probabilities) {
			running.packed[layer] = { segments, shares: both.probabilities.map((shares) => tf.keep(shares)) };
			held.logExact = tf.keep(onto.logSumExp);
			held.logBefore = tf.keep(both.logSumExp!);
		} else {
			onto.logSumExp.dispose();
		}
		Object.assign(result, { out: both.out, logSumExp: both.logSumExp });
	}

	/** Reads back what was wanted, stores the new tokens, and ends the pass. */
	async finish(): Promise<Seen> {
		return (await this.end([])).seen;
	}

	/** As `finish`, and the logits of the pass: a device is waited for once and not twice. They stay the caller's. */
	async finishWith(logits: tf.Tensor): Promise<{ logits: Float32Array; seen: Seen }> {
		const { seen, also } = await this.end([logits]);
		return { logits: also[0], seen };
	}

	private async end(wanted: tf.Tensor[]): Promise<{ seen: Seen; also: Float32Array[] }> {
		const running = this.expectPass();
		const { places } = this.rows;
		const { layers, also } = await readHeld(running, this.rows, wanted);
		this.running = null;
		layers.forEach(({ keys, values }, layer) => {
			if (running.kind === 'transient') this.rows.setOwnSlots(layer, true);
			else if (keys && values) this.store(running, layer, keys, values, true);
		});
		const positions = running.wants.attention ? layers.map((_, layer) => this.positions(running, layer, places)) : [];
		const { heads, kvHeads, headDim } = this.rows.shape;
		const shape = { rows: this.arms.length, heads, kvHeads, headDim, capacity: places, tokens: running.pass.tokens, attentionFrom: attentionRows(running, this.arms.length).first };
		return { seen: new Seen(shape, this.arms, layers, positions), also };
	}

	/** Drops a pass that failed half way: frees its tensors, stores nothing. The rows cannot be used further. */
	abandon(): void {
		for (const held of this.running?.held ?? []) tf.dispose(Object.values(held ?? {}));
		for (const packed of this.running?.packed ?? []) tf.dispose(packed?.shares ?? []);
		this.running = null;
	}

	dispose(): void {
		this.abandon();
		this.rows.dispose();
	}

	/* ---- inside ---- */

	private expectPass(): Running {
		if (!this.running) throw new Error('no pass is running: call begin first');
		return this.running;
	}

	/** Reads one layer's query, key and value now, stores the token, and lets the rows change what is read. */
	private async letRowsSpeak(layer: number, query: tf.Tensor, key: tf.Tensor, value: tf.Tensor): Promise<void> {
		const running = this.expectPass();
		const [queries, keys, values] = await readMany([query, key, value]);
		if (running.kind === 'append') {
			this.store(running, layer, keys, values, false);
			running.stored[layer] = true;
		}
		const { heads, headDim } = this.rows.shape;
		for (const [row, speak] of running.wants.attending!) {
			speak(this.arms[row].layers[layer], (queryHead) => {
				const at = (row * heads + queryHead) * headDim;
				return queries.subarray(at, at + headDim);
			});
		}
		this.rows.follow(layer);
		if (running.kind === 'transient') this.rows.setOwnSlots(layer, false);
		this.rows.flush();
	}

	/** `shown`: the device shows them already. */
	private store({ pass, first, at }: Running, layer: number, keys: Float32Array, values: Float32Array, shown: boolean): void {
		this.rows.store(layer, { tokens: pass.tokens, start: pass.start, first, at: at[layer], shown }, keys, values);
	}

	/** Logical positions at all places as this pass read them; a re-run token stands at its scratch place. */
	private positions({ kind, first, at }: Running, layer: number, places: number): Int32Array {
		const positions = this.rows.positionsAtPlaces(layer, places);
		if (kind === 'transient') this.rows.eachHead((index, row) => (positions[index * places + at[layer][index]] = first[row]));
		return positions;
	}
}
