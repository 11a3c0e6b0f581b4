/** One layer of one arm: the verbs, with their checks, the protected set and the records. */
import { LayerStorage } from './layer-storage.ts';
import type { Recorder } from './recorder.ts';
import { DIRTY_BIAS, HIDDEN_BY_METHOD, PAST, ROLES, type Role } from './slot-table.ts';
import type { Codec, LayerCache, MergeInstruction, PackedPart, Reasons, Summary, Which } from './types.ts';

export class LayerStore extends LayerStorage implements LayerCache {
	fork(recorder: Recorder): LayerStore {
		const copy = new LayerStore(this.layer, this.headDim, this.heads.map((head) => head.fork()), recorder);
		for (const [position, reason] of this.protectedPositions) copy.protectedPositions.set(position, reason);
		this.protectedInHead.forEach((own, head) => own.forEach((reason, position) => copy.protectedInHead[head].set(position, reason)));
		for (const [name, parts] of this.held) copy.held.set(name, parts);
		copy.rotated = this.rotated;
		return copy;
	}

	keep(head: number, slots: ArrayLike<number>, reasons?: Reasons): void {
		const stays = this.protectedSlots(head);
		for (const slot of this.slotList(head, slots)) stays[slot] = 1;
		const kept = indicesOf(stays);
		if (kept.length === 0) throw new RangeError(`${this.where(head)}: a head must keep at least one slot`);
		const positions = this.positionsOf(head, kept);
		this.store(head).select(kept);
		this.recorder.write({ verb: 'keep', layer: this.layer, head, positions }, reasons);
	}

	evict(head: number, slots: ArrayLike<number>, reasons?: Reasons): void {
		const isProtected = this.protectedSlots(head);
		const gone = this.slotList(head, slots).filter((slot) => !isProtected[slot]);
		if (gone.length === 0) return;
		const positions = this.positionsOf(head, gone);
		this.remove(head, gone);
		this.recorder.write({ verb: 'evict', layer: this.layer, head, positions }, reasons);
	}

	merge(head: number, merges: MergeInstruction[], reasons?: Reasons): void {
		const gone = this.checkMerges(head, merges);
		const store = this.store(head);
		const position = store.slots.columns.position;
		merges.forEach(({ into, from, weights, value, key, bias }, i) => {
			store.rewrite(into, value, key);
			store.slots.columns.past[into] |= PAST.merged;
			if (bias !== undefined && bias !== store.slots.columns.bias[into]) {
				store.slots.columns.bias[into] = bias;
				store.markDirty(into, DIRTY_BIAS);
			}
			this.recorder.write({
				verb: 'merge', layer: this.layer, head, positions: this.positionsOf(head, from),
				into: position[into], weights: Float32Array.from(weights)
			}, i === 0 ? reasons : { by: reasons?.by });
		});
		this.remove(head, gone);
	}

	encode(head: number, which: Which, slots: ArrayLike<number>, codec: Codec, reasons?: Reasons): void {
		this.encodeAs(head, which, slots, codec, false, reasons);
	}

	encodeBeforeRope(head: number, slots: ArrayLike<number>, codec: Codec, reasons?: Reasons): void {
		this.encodeAs(head, 'K', slots, codec, true, reasons);
	}

	private encodeAs(head: number, which: Which, slots: ArrayLike<number>, codec: Codec, beforeRope: boolean, reasons?: Reasons): void {
		const store = this.store(head);
		const list = this.slotList(head, slots);
		if (list.length === 0) throw new RangeError(`${this.where(head)}: a block to encode holds at least one slot`);
		this.checkResident(head, list);
		for (const slot of list) {
			if (!store.isExact(slot, which)) throw new RangeError(`${this.where(head)}: ${which} of slot ${slot} is encoded already, and a slot is encoded once`);
		}
		const words = beforeRope ? `${codec.title}, before rotation` : codec.title;
		this.recorder.write({
			verb: codec.rank === undefined ? 'encode' : 'project', layer: this.layer, head,
			positions: this.positionsOf(head, list), which, codec: words, bits: codec.bits,
			...(codec.rank === undefined ? {} : { rank: codec.rank })
		}, reasons);
		if (codec.exact) return;
		this.recorder.encodes = true;
		store.encode(list, which, codec, beforeRope);
	}

	replace(head: number, slots: { positions: Int32Array; keys: Float32Array; values: Float32Array; bias: Float32Array }, reasons?: Reasons): void {
		const { positions, keys, values, bias } = slots;
		const store = this.store(head);
		const count = positions.length;
		if (count === 0) throw new RangeError(`${this.where(head)}: a head must keep at least one slot`);
		if (bias.length !== count) throw new RangeError(`${this.where(head)}: ${bias.length} biases do not fit ${count} slots`);
		this.checkNumbers(head, slots);
		const given = new Set(positions);
		for (const position of this.positions(head)) {
			if (this.protection(head, position) !== undefined && !given.has(position)) {
				throw new RangeError(`${this.where(head)}: position ${position} is protected and must stay`);
			}
		}
		store.select([]);
		for (let i = 0; i < count; i++) {
			const row = [i * this.headDim, (i + 1) * this.headDim] as const;
			store.append(keys.slice(...row), values.slice(...row), positions[i], positions[i], bias[i]);
		}
		this.recorder.write({ verb: 'replace', layer: this.layer, head, positions: positions.slice() }, reasons);
	}

	rerotate(head: number): void {
		this.store(head).rerotate();
		this.rotated = true;
	}
	summarise(head: number, summary: Summary, positions: ArrayLike<number>, reasons?: Reasons): void {
		const store = this.store(head);
		this.checkWidth(summary.meanKey);
		this.checkWidth(summary.meanValue);
		if (summary.matrix.length !== this.headDim ** 2) throw new RangeError(`${this.where(head)}: the matrix of a summary is headDim x headDim`);
		store.summary = summary.logCount === -Infinity ? null : summary;
		store.summaryVersion++;
		store.touched = true;
		this.recorder.write({ verb: 'summarise', layer: this.layer, head, positions: Int32Array.from(positions) }, reasons);
	}

	hide(head: number, slots: ArrayLike<number>, reasons?: Reasons): void {
		this.setHidden(head, slots, true, reasons);
	}
	show(head: number, slots: ArrayLike<number>, reasons?: Reasons): void {
		this.setHidden(head, slots, false, reasons);
	}

	/** Only slots that change are recorded. */
	private setHidden(head: number, slots: ArrayLike<number>, hide: boolean, reasons?: Reasons): void {
		const store = this.store(head);
		const { hidden } = store.slots.columns;
		const changed = this.slotList(head, slots).filter((slot) => Boolean(hidden[slot] & HIDDEN_BY_METHOD) !== hide);
		for (const slot of changed) {
			hidden[slot] ^= HIDDEN_BY_METHOD;
			store.markDirty(slot, DIRTY_BIAS);
		}
		if (changed.length === 0) return;
		this.recorder.write({ verb: hide ? 'hide' : 'show', layer: this.layer, head, positions: this.positionsOf(head, changed) }, reasons);
	}

	mark(head: number, slots: ArrayLike<number>, role: Role): void {
		const column = this.store(head).slots.columns.role;
		for (const slot of this.slotList(head, slots)) column[slot] = ROLES.indexOf(role);
	}

	protect(positions: ArrayLike<number>, reason: string, head?: number): void {
		const where = head === undefined ? this.protectedPositions : this.protectedInHead[head];
		for (let i = 0; i < positions.length; i++) where.set(positions[i], reason);
	}
	unprotect(positions: ArrayLike<number>, head?: number): void {
		const where = head === undefined ? this.protectedPositions : this.protectedInHead[head];
		for (let i = 0; i < positions.length; i++) where.delete(positions[i]);
	}

	declareEncoding(): void {
		this.recorder.encodes = true;
	}

	holdState(name: string, parts: PackedPart[]): void {
		if (parts.length === 0) this.held.delete(name);
		else this.held.set(name, parts);
	}

	/** Throws where a merge is not possible; gives the slots that go. */
	private checkMerges(head: number, merges: MergeInstruction[]): number[] {
		const store = this.store(head);
		const isProtected = this.protectedSlots(head);
		const gone = new Set<number>();
		const receives = new Set<number>();
		for (const { into, from, weights, value, key } of merges) {
			this.checkResident(head, this.slotList(head, [into, ...from]));
			if (weights.length !== from.length) throw new RangeError(`${this.where(head)}: ${weights.length} weights for ${from.length} slots`);
			if (receives.has(into)) throw new RangeError(`${this.where(head)}: slot ${into} receives twice in one merge`);
			receives.add(into);
			if (!store.isExact(into, 'V') || (key && !store.isExact(into, 'K'))) {
				throw new RangeError(`${this.where(head)}: slot ${into} is encoded and cannot receive a merge`);
			}
			this.checkWidth(value);
			if (key) this.checkWidth(key);
			for (const slot of from) {
				if (isProtected[slot]) throw new RangeError(`${this.where(head)}: slot ${slot} is protected and cannot be merged away`);
				gone.add(slot);
			}
		}
		for (const slot of receives) {
			if (gone.has(slot)) throw new RangeError(`${this.where(head)}: slot ${slot} both receives and is merged away`);
		}
		return [...gone];
	}

	private remove(head: number, slots: number[]): void {
		const stays = new Uint8Array(this.length(head)).fill(1);
		for (const slot of slots) stays[slot] = 0;
		this.store(head).select(indicesOf(stays));
	}
}

function indicesOf(flags: Uint8Array): Int32Array {
	const indices: number[] = [];
	flags.forEach((flag, i) => flag && indices.push(i));
	return Int32Array.from(indices);
}
