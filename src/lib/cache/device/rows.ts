/** All rows of a batch: their stores on the CPU beside their copies on the device. */
import type { ModelShape } from '$lib/documents/trace.ts';
import { Scatter } from '$lib/ops/scatter/index.ts';
import type { ArmCache } from '../arm-cache.ts';
import { LayerCopy } from './layer-copy.ts';
import { HIDDEN } from './summary-copy.ts';

/** Tokens that a pass adds: the same number a row. */
export interface NewTokens {
	tokens: number;
	/** Logical position and angle of the first one, by row. */
	first: Int32Array;
	start: Int32Array;
	/** Place of the first one: [rows x kvHeads]. */
	at: Int32Array;
	/** Their biases are 0 on the device already. */
	shown: boolean;
}

export class Rows {
	readonly copies: LayerCopy[];
	readonly shape: ModelShape;
	private readonly scatter = new Scatter();

	/** `capacity` slots a head, and one more place as scratch for the re-run of the last prompt token. `packs`: see LayerCopy. */
	constructor(readonly arms: readonly ArmCache[], capacity: number, packs: boolean) {
		this.shape = arms[0].shape;
		this.copies = Array.from({ length: this.shape.layers }, (_, layer) => {
			const heads = arms.flatMap((arm) => arm.layers[layer].heads);
			return new LayerCopy(heads, arms.length, capacity + 1, this.shape.headDim, packs, this.scatter);
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

	/** Brings a layer's copy up to date, but for what waits for `flush`. */
	follow(layer: number): void {
		for (let index = 0; index < this.heads; index++) this.copies[layer].follow(index);
	}

	/** Sends what waits, of all layers together. */
	flush(): void {
		this.scatter.flush();
	}

	/** Places that a head may have: those in float32, then those of its pages. */
	get places(): number {
		return Math.max(...this.copies.map(({ capacity, packed }) => capacity + packed.extent));
	}

	/** Stores a pass's tokens, keys and values [rows, kvHeads, tokens, headDim], where the device has them already. */
	store(layer: number, { tokens, first, start, at, shown }: NewTokens, keys: Float32Array, values: Float32Array): void {
		const d = this.shape.headDim;
		this.eachHead((index, row, head) => {
			for (let t = 0; t < tokens; t++) {
				const from = (index * tokens + t) * d;
				this.arms[row].append(layer, head, keys.subarray(from, from + d), values.subarray(from, from + d),
					first[row] + t, start[row] + t, at[index] + t);
				if (shown) this.copies[layer].noteShown(index, at[index] + t);
				else this.copies[layer].setBias(index, at[index] + t, 0);
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

	/** Logical position at each of `places` places, -1 where none: [rows x kvHeads x places]. */
	positionsAtPlaces(layer: number, places: number): Int32Array {
		const positions = new Int32Array(this.heads * places).fill(-1);
		this.eachHead((index, row, head) => {
			const { length, slots } = this.arms[row].layers[layer].heads[head];
			for (let slot = 0; slot < length; slot++) positions[index * places + slots.columns.place[slot]] = slots.columns.position[slot];
		});
		return positions;
	}

	dispose(): void {
		for (const copy of this.copies) copy.dispose();
		this.scatter.dispose();
	}
}
