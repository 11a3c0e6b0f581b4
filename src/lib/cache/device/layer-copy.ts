/**
 * The tensors that attention reads in one layer, for all rows, and how they follow the stores on
 * the CPU: only what changed is written.
 */
import type { Tensor } from '@tensorflow/tfjs-core';
import { persistentFrom, write } from '$lib/ops/index.ts';
import type { Scatter } from '$lib/ops/scatter/index.ts';
import type { HeadStore } from '../head-store.ts';
import { DIRTY_NUMBERS } from '../slot-table.ts';
import { firstCopy } from './first-copy.ts';
import { PackedCopy } from './packed-copy.ts';
import { pagePlan } from './packing.ts';
import { Places } from './places.ts';
import { HIDDEN, SummaryCopy } from './summary-copy.ts';

/** Neighbouring slots from which on numbers are written in one piece. */
const LONG_RUN = 8;

export class LayerCopy {
	readonly keys: Tensor;
	readonly values: Tensor;
	readonly bias: Tensor;
	readonly summaries: SummaryCopy;
	/** Encoded slots that attention reads as they are; their places come after `capacity`. */
	readonly packed: PackedCopy;
	private readonly places: Places[];
	/** What `bias` holds, or will after the scatter's flush. */
	private readonly biases: Float32Array;

	/**
	 * `heads`: the stores of all rows, row-major [rows x kvHeads]; `capacity` places in float32, the last one is
	 * scratch. Without `packs` encoded slots are decoded into float32 places like the others.
	 */
	constructor(
		private readonly heads: HeadStore[],
		rows: number,
		readonly capacity: number,
		private readonly headDim: number,
		private readonly packs: boolean,
		private readonly scatter: Scatter
	) {
		const kvHeads = heads.length / rows;
		this.biases = new Float32Array(heads.length * capacity).fill(HIDDEN);
		this.places = heads.map(() => new Places(capacity - 1));
		this.packed = new PackedCopy(heads, rows, capacity, scatter);
		this.summaries = new SummaryCopy(heads, rows, headDim);
		const placed = heads.map((head, index) => {
			const { columns } = head.slots;
			columns.place.fill(-1);
			columns.dirty.fill(0);
			head.freedPlaces = [];
			head.touched = false;
			for (let slot = 0; slot < head.length; slot++) this.placePacked(index, slot);
			const slots = this.settle(index);
			for (const slot of slots) this.biases[index * capacity + columns.place[slot]] = biasOf(head, slot);
			return slots;
		});
		const [keys, values] = (['K', 'V'] as const).map((which) => firstCopy(heads, rows, capacity, which, placed));
		this.keys = keys.tensor;
		this.values = values.tensor;
		// The array stays ours, so the tensor starts from a copy.
		this.bias = persistentFrom(this.biases.slice(), [rows, kvHeads, capacity]);
		heads.forEach((_, index) => {
			this.writeSlots(index, [...new Set([...keys.left[index], ...values.left[index]])]);
			this.summaries.follow(index);
		});
	}

	/** Places in float32 from this one on were never given to any head. */
	get used(): number {
		return Math.max(...this.places.map(({ used }) => used));
	}

	/** Gives a slot that can be read packed a place among the pages, with its bias. */
	private placePacked(index: number, slot: number): boolean {
		const head = this.heads[index];
		const plan = this.packs ? pagePlan(head, slot) : null;
		if (!plan) return false;
		const place = this.capacity + this.packed.put(index, slot, plan);
		head.slots.columns.place[slot] = place;
		this.packed.setBias(index, place - this.capacity, biasOf(head, slot));
		return true;
	}

	/** Gives the slots that have no place among the pages the places 0, 1, 2, … and lists them. */
	private settle(index: number): number[] {
		const head = this.heads[index];
		const { place } = head.slots.columns;
		const slots = Array.from({ length: head.length }, (_, slot) => slot).filter((slot) => place[slot] < this.capacity);
		this.places[index].reset(slots.length);
		slots.forEach((slot, i) => (place[slot] = i));
		return slots;
	}

	/** Brings one head up to date: frees places, writes what is dirty. Biases and single slots wait for the scatter's flush. */
	follow(index: number): void {
		const head = this.heads[index];
		if (!head.touched) return;
		const { columns } = head.slots;
		for (const place of head.freedPlaces) this.release(index, place);
		head.freedPlaces = [];
		const slots: number[] = [];
		for (let slot = 0; slot < head.length; slot++) {
			const dirty = columns.dirty[slot];
			if (!dirty) continue;
			columns.dirty[slot] = 0;
			if (dirty & DIRTY_NUMBERS) {
				const before = columns.place[slot];
				const packed = this.placePacked(index, slot);
				if (before >= 0 && (packed || before >= this.capacity)) this.release(index, before);
				if (packed) continue;
				if (before < 0 || before >= this.capacity) columns.place[slot] = this.places[index].take();
				slots.push(slot);
			}
			this.setBias(index, columns.place[slot], biasOf(head, slot));
		}
		this.writeSlots(index, slots);
		this.summaries.follow(index);
		head.touched = false;
	}

	private release(index: number, place: number): void {
		if (place >= this.capacity) return this.packed.release(index, place - this.capacity, HIDDEN);
		this.places[index].release(place);
		this.setBias(index, place, HIDDEN);
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
				if (to - from < LONG_RUN) this.scatter.put(tensor, offset, numbers);
				else write(tensor, offset, numbers);
			}
			from = to;
		}
	}

	/** A place for one new token, or `tokens` neighbouring ones (compacting the head if it must). */
	reserve(index: number, tokens: number): number {
		const found = this.places[index].takeRun(tokens);
		if (found >= 0) return found;
		const head = this.heads[index];
		// What waits belongs to the places as they were.
		this.scatter.flush();
		const slots = this.settle(index);
		for (let place = 0; place < this.capacity; place++) {
			this.setBias(index, place, place < slots.length ? biasOf(head, slots[place]) : HIDDEN);
		}
		this.writeSlots(index, slots);
		this.scatter.flush();
		const place = this.places[index].takeRun(tokens);
		if (place < 0) throw new RangeError(`${tokens} more tokens do not fit a working copy of ${this.capacity} slots a head`);
		return place;
	}

	setBias(index: number, place: number, value: number): void {
		if (place >= this.capacity) return this.packed.setBias(index, place - this.capacity, value);
		const at = index * this.capacity + place;
		if (this.biases[at] === value) return;
		this.biases[at] = value;
		this.scatter.put(this.bias, at, [value]);
	}

	/** The device has made the bias of a place in float32 0. */
	noteShown(index: number, place: number): void {
		this.biases[index * this.capacity + place] = 0;
	}

	dispose(): void {
		for (const tensor of [this.keys, this.values, this.bias]) tensor.dispose();
		this.summaries.dispose();
		this.packed.dispose();
	}
}

function biasOf(head: HeadStore, slot: number): number {
	const { hidden, bias } = head.slots.columns;
	return hidden[slot] ? HIDDEN : bias[slot];
}
