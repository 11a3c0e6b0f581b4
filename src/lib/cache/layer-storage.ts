/** The verbs that say where a slot's numbers lie and whose they are, and the fault. */
import { slowBytes } from './bill.ts';
import { planFlip } from './faults.ts';
import type { HeadStore } from './head-store.ts';
import { LayerReadings } from './layer-readings.ts';
import type { Recorder } from './recorder.ts';
import { slotAt } from './sharing.ts';
import { DIRTY_BIAS, OFFLOADED, PAST } from './slot-table.ts';
import type { Fault, Reasons, SlotNumbers, SlotOwner, Which, Word } from './types.ts';

export class LayerStorage extends LayerReadings {
	constructor(layer: number, headDim: number, heads: HeadStore[], protected readonly recorder: Recorder) {
		super(layer, headDim, heads);
	}

	restore(head: number, source: SlotNumbers, reasons?: Reasons): void {
		const { positions, keys, values, angles = positions } = source;
		const store = this.store(head);
		this.checkNumbers(head, source);
		if (angles.length !== positions.length) throw new RangeError(`${this.where(head)}: ${angles.length} angles do not fit ${positions.length} slots`);
		for (const position of positions) {
			if (!Number.isInteger(position) || position < 0 || position >= this.recorder.tokens) {
				throw new RangeError(`${this.where(head)}: position ${position} cannot be restored, since ${this.recorder.tokens} tokens have been read`);
			}
			if (slotAt(store, position) >= 0) throw new RangeError(`${this.where(head)}: position ${position} is there already`);
		}
		if (positions.length === 0) return;
		store.insert({ positions, keys, values, angles });
		this.recorder.write({ verb: 'restore', layer: this.layer, head, positions: positions.slice() }, reasons);
	}

	offload(head: number, slots: ArrayLike<number>, reasons?: Reasons): void {
		this.move(head, slots, true, reasons);
	}
	fetch(head: number, slots: ArrayLike<number>, reasons?: Reasons): void {
		this.move(head, slots, false, reasons);
	}

	/** Only slots that move are recorded. */
	private move(head: number, slots: ArrayLike<number>, away: boolean, reasons?: Reasons): void {
		const store = this.store(head);
		const { hidden, past } = store.slots.columns;
		const moved = this.slotList(head, slots).filter((slot) => Boolean(hidden[slot] & OFFLOADED) !== away);
		if (moved.length === 0) return;
		const before = slowBytes(store);
		for (const slot of moved) {
			hidden[slot] ^= OFFLOADED;
			if (!away) past[slot] |= PAST.fetched;
			store.markDirty(slot, DIRTY_BIAS);
		}
		const bytes = Math.abs(slowBytes(store) - before);
		this.recorder.write({ verb: away ? 'offload' : 'fetch', layer: this.layer, head, positions: this.positionsOf(head, moved), bytes }, reasons);
	}

	share(head: number, which: Which, slots: ArrayLike<number>, owner: SlotOwner, reasons?: Reasons): void {
		if (!(owner.layer instanceof LayerStorage)) throw new RangeError(`${this.where(head)}: only slots of a cache can be shared`);
		const [store, from] = [this.store(head), owner.layer.store(owner.head)];
		if (store === from) throw new RangeError(`${this.where(head)} cannot share with itself`);
		if (from.headDim !== this.headDim) throw new RangeError(`${this.where(head)}: keys of ${from.headDim} channels do not fit a head of ${this.headDim}`);
		const list = this.slotList(head, slots);
		this.checkResident(head, list);
		const pairs = list.map((slot) => {
			const position = store.slots.columns.position[slot];
			const there = slotAt(from, position);
			if (there < 0) throw new RangeError(`${this.where(head)}: the owner has no slot at position ${position}`);
			if (which === 'K' && from.slots.columns.angle[there] !== store.slots.columns.angle[slot]) {
				throw new RangeError(`${this.where(head)}: the key of position ${position} stands at another angle than its owner's`);
			}
			if (from.blockOf(there, which)?.codec.fromKeys) {
				throw new RangeError(`${this.where(head)}: the value of position ${position} follows from its owner's key, so there is nothing to share`);
			}
			return { slot, there };
		});
		if (pairs.length === 0) return;
		store.adopt(pairs, which, from);
		const { name } = owner;
		this.recorder.write({
			verb: 'share', layer: this.layer, head, which, positions: this.positionsOf(head, list),
			owner: { layer: owner.layer.layer, head: owner.head, ...(name === undefined ? {} : { name }) }
		}, reasons);
	}

	corrupt(head: number, which: Which, faults: readonly Fault[], { word = 'f16', ...reasons }: Reasons & { word?: Word } = {}): void {
		const store = this.store(head);
		this.slotList(head, faults.map(({ slot }) => slot));
		// All or none: what does not exist is found before anything flips.
		for (const fault of faults) planFlip(store, which, fault, word);
		const flips = faults.map((fault) => {
			const { record, apply } = planFlip(store, which, fault, word);
			apply();
			return record;
		});
		if (flips.length === 0) return;
		const positions = Int32Array.from(new Set(flips.map(({ position }) => position))).sort();
		this.recorder.write({ verb: 'corrupt', layer: this.layer, head, which, positions, flips }, reasons);
	}

	/* ---- for the verbs ---- */

	/** Throws where keys and values do not fit the positions, or these do not ascend. */
	protected checkNumbers(head: number, { positions, keys, values }: SlotNumbers): void {
		const count = positions.length;
		if (keys.length !== count * this.headDim || values.length !== count * this.headDim) {
			throw new RangeError(`${this.where(head)}: keys and values do not fit ${count} slots`);
		}
		for (let i = 1; i < count; i++) {
			if (positions[i] <= positions[i - 1]) throw new RangeError(`${this.where(head)}: positions must ascend`);
		}
	}

	/** Throws where a slot that is to change lies in slow memory. */
	protected checkResident(head: number, slots: readonly number[]): void {
		const { hidden } = this.store(head).slots.columns;
		for (const slot of slots) {
			if (hidden[slot] & OFFLOADED) throw new RangeError(`${this.where(head)}: slot ${slot} lies in slow memory and must be fetched first`);
		}
	}
}
