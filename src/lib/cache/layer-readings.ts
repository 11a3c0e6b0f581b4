/**
 * What can be read of one layer of one arm, and the helpers its verbs share. The numbers
 * themselves lie in one `HeadStore` a KV head.
 */
import type { HeadStore } from './head-store.ts';
import { OWNER, slotAt } from './sharing.ts';
import { OFFLOADED } from './slot-table.ts';
import type { PackedPart, SlotNumbers, Summary, Which } from './types.ts';

export class LayerReadings {
	/** Protected logical positions and why. */
	readonly protectedPositions = new Map<number, string>();
	/** The same for one head alone. */
	readonly protectedInHead: Map<number, string>[];
	/** State that methods hold, by name. */
	readonly held = new Map<string, PackedPart[]>();
	/** True once keys were turned to other angles than their positions. */
	rotated = false;

	constructor(
		readonly layer: number,
		readonly headDim: number,
		readonly heads: HeadStore[]
	) {
		this.protectedInHead = heads.map(() => new Map());
	}

	get kvHeads(): number {
		return this.heads.length;
	}

	length(head: number): number {
		return this.store(head).length;
	}
	positions(head: number): Int32Array {
		return this.store(head).slots.copy('position');
	}
	rotaryPositions(head: number): Int32Array {
		return this.store(head).slots.copy('angle');
	}
	keys(head: number): Float32Array {
		return this.store(head).all('K');
	}
	values(head: number): Float32Array {
		return this.store(head).all('V');
	}
	bias(head: number): Float32Array {
		return this.store(head).slots.copy('bias');
	}
	hidden(head: number): Uint8Array {
		return this.store(head).slots.copy('hidden').map((why) => (why ? 1 : 0));
	}
	offloaded(head: number): Uint8Array {
		return this.store(head).slots.copy('hidden').map((why) => (why & OFFLOADED ? 1 : 0));
	}
	shared(head: number, which: Which): Uint8Array {
		return Uint8Array.from(this.store(head).slots.copy(OWNER[which]), (owner) => (owner < 0 ? 0 : 1));
	}
	numbersAt(head: number, positions: ArrayLike<number>): SlotNumbers {
		const store = this.store(head);
		const slots = Array.from(positions, (position) => {
			const slot = slotAt(store, position);
			if (slot < 0) throw new RangeError(`${this.where(head)} has no slot at position ${position}`);
			return slot;
		});
		const rows = (which: Which) => {
			const out = new Float32Array(slots.length * this.headDim);
			slots.forEach((slot, i) => out.set(store.numbers(slot, which), i * this.headDim));
			return out;
		};
		return {
			positions: Int32Array.from(positions), keys: rows('K'), values: rows('V'),
			angles: Int32Array.from(slots, (slot) => store.slots.columns.angle[slot])
		};
	}
	protectedSlots(head: number): Uint8Array {
		return Uint8Array.from(this.positions(head), (position) => (this.protection(head, position) === undefined ? 0 : 1));
	}
	/** Why a position is protected in a head; undefined where it is not. */
	protection(head: number, position: number): string | undefined {
		return this.protectedInHead[head].get(position) ?? this.protectedPositions.get(position);
	}
	exact(head: number, which: Which): Uint8Array {
		const store = this.store(head);
		return Uint8Array.from({ length: store.length }, (_, slot) => (store.isExact(slot, which) ? 1 : 0));
	}
	summary(head: number): Summary | null {
		return this.store(head).summary;
	}

	/* ---- for the verbs ---- */

	/** Where, for messages. */
	protected where(head: number): string {
		return `layer ${this.layer}, head ${head}`;
	}

	protected store(head: number): HeadStore {
		const store = this.heads[head];
		if (!store) throw new RangeError(`layer ${this.layer} has ${this.kvHeads} KV heads; there is no head ${head}`);
		return store;
	}

	/** Ascending, without repeats; throws for a slot that does not exist. */
	protected slotList(head: number, slots: ArrayLike<number>): number[] {
		const count = this.length(head);
		for (let i = 0; i < slots.length; i++) {
			if (!Number.isInteger(slots[i]) || slots[i] < 0 || slots[i] >= count) {
				throw new RangeError(`${this.where(head)} has ${count} slots; there is no slot ${slots[i]}`);
			}
		}
		return [...new Set(Array.from(slots))].sort((a, b) => a - b);
	}

	protected positionsOf(head: number, slots: ArrayLike<number>): Int32Array {
		const { position } = this.store(head).slots.columns;
		return Int32Array.from(slots, (slot) => position[slot]);
	}

	protected checkWidth(vector: Float32Array): void {
		if (vector.length !== this.headDim) throw new RangeError(`a key or value has ${this.headDim} numbers, not ${vector.length}`);
	}
}
