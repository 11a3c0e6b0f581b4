/**
 * The tensors that attention reads in one layer, for all rows, and how they follow the stores on
 * the CPU: only what changed is written.
 */
import type { Tensor } from '@tensorflow/tfjs-core';
import { persistent, persistentFrom, write, type SummaryTensors } from '$lib/ops/index.ts';
import type { HeadStore } from '../head-store.ts';
import { DIRTY_NUMBERS } from '../slot-table.ts';
import { Places } from './places.ts';

/** Bias of a place that nobody may read. */
export const HIDDEN = Math.fround(-1e30);

export class LayerCopy {
	readonly keys: Tensor;
	readonly values: Tensor;
	readonly bias: Tensor;
	/** Present once some row has a summary. */
	summary: SummaryTensors | null = null;
	private readonly places: Places[];
	/** What `bias` holds, or will after `flush`. */
	private readonly biases: Float32Array;
	private changed = { from: Infinity, to: 0 };
	private summaryVersions: number[];

	/** `heads`: the stores of all rows, row-major [rows x kvHeads]; `capacity` places, the last one is scratch. */
	constructor(
		private readonly heads: HeadStore[],
		private readonly rows: number,
		readonly capacity: number,
		private readonly headDim: number
	) {
		const kvHeads = heads.length / rows;
		const size = heads.length * capacity;
		const keys = new Float32Array(size * headDim);
		const values = new Float32Array(size * headDim);
		this.biases = new Float32Array(size).fill(HIDDEN);
		this.places = heads.map(() => new Places(capacity - 1));
		this.summaryVersions = heads.map(() => 0);
		heads.forEach((head, index) => {
			this.settle(head, index);
			keys.set(head.all('K'), index * capacity * headDim);
			values.set(head.all('V'), index * capacity * headDim);
		});
		this.keys = persistentFrom(keys, [rows, kvHeads, capacity, headDim]);
		this.values = persistentFrom(values, [rows, kvHeads, capacity, headDim]);
		// The array stays ours, so the tensor starts from a copy.
		this.bias = persistentFrom(this.biases.slice(), [rows, kvHeads, capacity]);
		this.changed = { from: Infinity, to: 0 };
		heads.forEach((_, index) => this.followSummary(index));
	}

	/** Slot i of a head goes to place i; nothing is dirty any more. */
	private settle(head: HeadStore, index: number): void {
		const { columns } = head.slots;
		this.places[index].reset(head.length);
		this.setBiases(index, 0, new Float32Array(this.capacity).fill(HIDDEN));
		for (let slot = 0; slot < head.length; slot++) {
			columns.place[slot] = slot;
			columns.dirty[slot] = 0;
			this.setBias(index, slot, biasOf(head, slot));
		}
		head.freedPlaces = [];
		head.touched = false;
	}

	/** Brings one head up to date: frees places, writes what is dirty. Biases wait for `flush`. */
	follow(index: number): void {
		const head = this.heads[index];
		if (!head.touched) return;
		const { columns } = head.slots;
		for (const place of head.freedPlaces) {
			this.places[index].release(place);
			this.setBias(index, place, HIDDEN);
		}
		head.freedPlaces = [];
		const slots: number[] = [];
		for (let slot = 0; slot < head.length; slot++) {
			if (!columns.dirty[slot]) continue;
			if (columns.place[slot] < 0) columns.place[slot] = this.places[index].take();
			if (columns.dirty[slot] & DIRTY_NUMBERS) slots.push(slot);
			this.setBias(index, columns.place[slot], biasOf(head, slot));
			columns.dirty[slot] = 0;
		}
		this.writeSlots(index, slots);
		this.followSummary(index);
		head.touched = false;
	}

	/** Writes keys and values of slots, neighbouring places together. */
	private writeSlots(index: number, slots: number[]): void {
		const head = this.heads[index];
		const { place } = head.slots.columns;
		const sorted = slots.sort((a, b) => place[a] - place[b]);
		for (let from = 0; from < sorted.length; ) {
			let to = from + 1;
			while (to < sorted.length && place[sorted[to]] === place[sorted[to - 1]] + 1) to++;
			const offset = (index * this.capacity + place[sorted[from]]) * this.headDim;
			for (const [which, tensor] of [['K', this.keys], ['V', this.values]] as const) {
				const numbers = new Float32Array((to - from) * this.headDim);
				for (let i = from; i < to; i++) numbers.set(head.numbers(sorted[i], which), (i - from) * this.headDim);
				write(tensor, offset, numbers);
			}
			from = to;
		}
	}

	/** A place for one new token, or `tokens` neighbouring ones (compacting the head if it must). */
	reserve(index: number, tokens: number): number {
		const found = this.places[index].takeRun(tokens);
		if (found >= 0) return found;
		const head = this.heads[index];
		this.settle(head, index);
		this.writeSlots(index, Array.from({ length: head.length }, (_, slot) => slot));
		const place = this.places[index].takeRun(tokens);
		if (place < 0) throw new RangeError(`${tokens} more tokens do not fit a working copy of ${this.capacity} slots a head`);
		return place;
	}

	setBias(index: number, place: number, value: number): void {
		const at = index * this.capacity + place;
		if (this.biases[at] === value) return;
		this.biases[at] = value;
		this.changed.from = Math.min(this.changed.from, at);
		this.changed.to = Math.max(this.changed.to, at + 1);
	}

	private setBiases(index: number, place: number, values: Float32Array): void {
		for (let i = 0; i < values.length; i++) this.setBias(index, place + i, values[i]);
	}

	/** Writes the biases that changed. */
	flush(): void {
		if (this.changed.from >= this.changed.to) return;
		write(this.bias, this.changed.from, this.biases.subarray(this.changed.from, this.changed.to));
		this.changed = { from: Infinity, to: 0 };
	}

	private followSummary(index: number): void {
		const head = this.heads[index];
		if (head.summaryVersion === this.summaryVersions[index]) return;
		this.summaryVersions[index] = head.summaryVersion;
		const d = this.headDim;
		this.summary ??= this.emptySummary();
		write(this.summary.logCount, index, Float32Array.of(head.summary?.logCount ?? HIDDEN));
		if (!head.summary) return;
		write(this.summary.meanKey, index * d, head.summary.meanKey);
		write(this.summary.meanValue, index * d, head.summary.meanValue);
		write(this.summary.matrix, index * d * d, head.summary.matrix);
	}

	private emptySummary(): SummaryTensors {
		const shape = [this.rows, this.heads.length / this.rows];
		const logCount = new Float32Array(this.heads.length).fill(HIDDEN);
		return {
			logCount: persistentFrom(logCount, shape),
			meanKey: persistent([...shape, this.headDim]),
			meanValue: persistent([...shape, this.headDim]),
			matrix: persistent([...shape, this.headDim, this.headDim])
		};
	}

	dispose(): void {
		for (const tensor of [this.keys, this.values, this.bias, ...Object.values(this.summary ?? {})]) tensor.dispose();
	}
}

function biasOf(head: HeadStore, slot: number): number {
	const { hidden, bias } = head.slots.columns;
	return hidden[slot] ? HIDDEN : bias[slot];
}
