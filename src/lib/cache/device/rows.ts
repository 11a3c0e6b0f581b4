/** All rows of a batch: their stores on the CPU beside their copies on the device. */
import type { ModelShape } from '$lib/documents/trace.ts';
import type { ArmCache } from '../arm-cache.ts';
import { HIDDEN, LayerCopy } from './layer-copy.ts';

/** Tokens that a pass adds: the same number a row. */
export interface NewTokens {
	tokens: number;
	/** Logical position and angle of the first one, by row. */
	first: Int32Array;
	start: Int32Array;
	/** Place of the first one: [rows x kvHeads]. */
	at: Int32Array;
}

export class Rows {
	readonly copies: LayerCopy[];
	readonly shape: ModelShape;

	/** `capacity` slots a head, and one more place as scratch for the re-run of the last prompt token. */
	constructor(readonly arms: readonly ArmCache[], capacity: number) {
		this.shape = arms[0].shape;
		this.copies = Array.from({ length: this.shape.layers }, (_, layer) => {
			const heads = arms.flatMap((arm) => arm.layers[layer].heads);
			return new LayerCopy(heads, arms.length, capacity + 1, this.shape.headDim);
		});
	}

	/** Rows x KV heads. */
	get heads(): number {
		return this.arms.length * this.shape.kvHeads;
	}

	eachHead(visit: (index: number, row: number, head: number) => void): void {
		const { kvHeads } = this.shape;
		for (let index = 0; index < this.heads; index++) visit(index, Math.floor(index / kvHeads), index % kvHeads);
	}

	/** Brings a layer's copy up to date, but for the biases: they wait for `flush`. */
	follow(layer: number): void {
		for (let index = 0; index < this.heads; index++) this.copies[layer].follow(index);
	}

	/** Stores a pass's tokens, keys and values [rows, kvHeads, tokens, headDim], where the device has them already. */
	store(layer: number, { tokens, first, start, at }: NewTokens, keys: Float32Array, values: Float32Array): void {
		const d = this.shape.headDim;
		this.eachHead((index, row, head) => {
			for (let t = 0; t < tokens; t++) {
				const from = (index * tokens + t) * d;
				this.arms[row].append(layer, head, keys.subarray(from, from + d), values.subarray(from, from + d),
					first[row] + t, start[row] + t, at[index] + t);
				this.copies[layer].setBias(index, at[index] + t, 0);
			}
		});
	}

	/** Hides the stored slot of each row's last token, or shows it again, where there is one. */
	setOwnSlots(layer: number, visible: boolean): void {
		this.eachHead((index, row, head) => {
			const { length, slots } = this.arms[row].layers[layer].heads[head];
			const last = length - 1;
			if (last < 0 || slots.columns.position[last] !== this.arms[row].tokens - 1) return;
			const bias = visible && !slots.columns.hidden[last] ? slots.columns.bias[last] : HIDDEN;
			this.copies[layer].setBias(index, slots.columns.place[last], bias);
		});
	}

	/** Logical position at each place, -1 where none: [rows x kvHeads x capacity]. */
	positionsAtPlaces(layer: number): Int32Array {
		const { capacity } = this.copies[layer];
		const positions = new Int32Array(this.heads * capacity).fill(-1);
		this.eachHead((index, row, head) => {
			const { length, slots } = this.arms[row].layers[layer].heads[head];
			for (let slot = 0; slot < length; slot++) positions[index * capacity + slots.columns.place[slot]] = slots.columns.position[slot];
		});
		return positions;
	}

	dispose(): void {
		for (const copy of this.copies) copy.dispose();
	}
}
