/**
 * One KV head of one arm: slots, exact rows and encoded blocks. Structure only: protection,
 * checks and records are the layer's business.
 */
import type { Rotation } from '$lib/numerics/rope.ts';
import { encodeBlock, keepBlockRows, turnBlock, type Block } from './block.ts';
import { RowStore } from './rows.ts';
import { endSharing, link, OWNER, ownerOf } from './sharing.ts';
import { DIRTY_BIAS, DIRTY_NUMBERS, PAST, SlotTable } from './slot-table.ts';
import type { Codec, Payload, SlotNumbers, Summary, Which } from './types.ts';

const SIDES = { K: { row: 'rowK', block: 'blockK', inside: 'inK' }, V: { row: 'rowV', block: 'blockV', inside: 'inV' } } as const;

export class HeadStore {
	slots = new SlotTable();
	blocks = new Map<number, Block>();
	summary: Summary | null = null;
	/** Raised by one at each change of the summary. */
	summaryVersion = 0;
	/** Heads that some slots here belong to, by the number in the columns `ownerK` and `ownerV`; heads that may share ours. */
	owners: HeadStore[] = [];
	readonly sharers = new Set<HeadStore>();
	/** Places of evicted slots that the working copy has yet to empty. */
	freedPlaces: number[] = [];
	/** True when the working copy may be behind. */
	touched = true;
	private nextId = 0;
	private nextBlock = 0;

	constructor(
		private readonly keyRows: RowStore,
		private readonly valueRows: RowStore,
		readonly headDim: number,
		private readonly rope: Rotation
	) {}

	/** A head that holds the prompt: row i = position i. */
	static ofPrompt(keys: Float32Array, values: Float32Array, headDim: number, rope: Rotation): HeadStore {
		const head = new HeadStore(new RowStore(keys, headDim), new RowStore(values, headDim), headDim, rope);
		for (let i = 0; i < keys.length / headDim; i++) head.pushSlot(i, i, i, i, 0, -1);
		return head;
	}

	fork(): HeadStore {
		const copy = new HeadStore(this.keyRows.fork(), this.valueRows.fork(), this.headDim, this.rope);
		copy.slots = this.slots.fork();
		copy.blocks = new Map(this.blocks);
		copy.owners = this.owners.slice();
		copy.summary = this.summary;
		copy.summaryVersion = this.summaryVersion;
		copy.freedPlaces = this.freedPlaces.slice();
		copy.nextId = this.nextId;
		copy.nextBlock = this.nextBlock;
		return copy;
	}

	get length(): number {
		return this.slots.length;
	}

	private pushSlot(rowK: number, rowV: number, position: number, angle: number, bias: number, place: number): void {
		this.slots.push({
			id: this.nextId++, position, angle, rowK, rowV, sourceK: rowK, sourceAngle: angle,
			blockK: -1, blockV: -1, inK: -1, inV: -1, ownerK: -1, ownerV: -1, place, bias, role: 0, hidden: 0, past: 0,
			dirty: place < 0 ? DIRTY_NUMBERS | DIRTY_BIAS : 0
		});
		this.touched = true;
	}

	/** Adds an exact slot at the end. `place` >= 0 says that the working copy already holds it. */
	append(key: Float32Array, value: Float32Array, position: number, angle: number, bias = 0, place = -1): void {
		this.pushSlot(this.keyRows.add(key), this.valueRows.add(value), position, angle, bias, place);
	}

	/** Puts exact slots where their positions belong. */
	insert({ positions, keys, values, angles = positions }: SlotNumbers): void {
		const d = this.headDim;
		positions.forEach((position, i) => {
			this.append(keys.subarray(i * d, (i + 1) * d), values.subarray(i * d, (i + 1) * d), position, angles[i]);
			this.slots.columns.past[this.length - 1] |= PAST.restored;
		});
		const { position } = this.slots.columns;
		this.slots.reorder(Array.from({ length: this.length }, (_, slot) => slot).sort((a, b) => position[a] - position[b]));
	}

	/** Key or value of a slot as attention reads it; a view, or made anew where a value follows from its key. */
	numbers(slot: number, which: Which): Float32Array {
		const { row, block, inside } = SIDES[which];
		const { columns } = this.slots;
		if (columns[row][slot] >= 0) return (which === 'K' ? this.keyRows : this.valueRows).view(columns[row][slot]);
		const { presented, codec, payload } = this.blocks.get(columns[block][slot])!;
		if (codec.fromKeys && which === 'V') {
			return codec.fromKeys(this.rope.rotate(this.numbers(slot, 'K'), [-columns.angle[slot]], this.headDim), payload);
		}
		const at = columns[inside][slot] * this.headDim;
		return presented.subarray(at, at + this.headDim);
	}

	/** The block that holds K or V of a slot; none where it is exact. */
	blockOf(slot: number, which: Which): Block | undefined {
		return this.blocks.get(this.slots.columns[SIDES[which].block][slot]);
	}

	/** Numbers of an exact slot as stored: a key before any turn. A view. */
	stored(slot: number, which: Which): Float32Array {
		const { sourceK, rowV } = this.slots.columns;
		return which === 'K' ? this.keyRows.view(sourceK[slot]) : this.valueRows.view(rowV[slot]);
	}

	/** The prompt's keys or values, [tokens, headDim]; the same array in all forks. */
	prompt(which: Which): Float32Array {
		return (which === 'K' ? this.keyRows : this.valueRows).base;
	}

	/** Row of the prompt that a slot's key or value is, -1 when it is another's. */
	promptRow(slot: number, which: Which): number {
		const row = this.slots.columns[SIDES[which].row][slot];
		return row < (which === 'K' ? this.keyRows : this.valueRows).baseRows ? row : -1;
	}

	/** All keys or values, [length, headDim]. */
	all(which: Which): Float32Array {
		const out = new Float32Array(this.length * this.headDim);
		for (let i = 0; i < this.length; i++) out.set(this.numbers(i, which), i * this.headDim);
		return out;
	}

	isExact(slot: number, which: Which): boolean {
		return this.slots.columns[SIDES[which].block][slot] < 0;
	}

	markDirty(slot: number, what: number): void {
		this.slots.columns.dirty[slot] |= what;
		this.touched = true;
	}

	/** Keeps the slots at `indices` (ascending). */
	select(indices: ArrayLike<number>): void {
		if (indices.length === this.length) return;
		const kept = new Uint8Array(this.length);
		for (let i = 0; i < indices.length; i++) kept[indices[i]] = 1;
		const { place } = this.slots.columns;
		for (let i = 0; i < this.length; i++) {
			if (kept[i]) continue;
			if (place[i] >= 0) this.freedPlaces.push(place[i]);
			endSharing(this, 'K', [i]);
			endSharing(this, 'V', [i]);
			this.releaseKey(i);
			this.releaseValue(i);
		}
		this.slots.select(indices);
		this.dropDeadRows('K');
		this.dropDeadRows('V');
		this.touched = true;
	}

	private releaseKey(slot: number): void {
		const { rowK, sourceK } = this.slots.columns;
		if (rowK[slot] >= 0) this.keyRows.release(rowK[slot]);
		if (sourceK[slot] >= 0 && sourceK[slot] !== rowK[slot]) this.keyRows.release(sourceK[slot]);
		rowK[slot] = sourceK[slot] = -1;
	}

	private releaseValue(slot: number): void {
		const { rowV } = this.slots.columns;
		if (rowV[slot] >= 0) this.valueRows.release(rowV[slot]);
		rowV[slot] = -1;
	}

	/** Blocks without live rows go; others drop dead rows where their codec can, unless they are another's. */
	private dropDeadRows(which: Which): void {
		const { block: blockColumn, inside } = SIDES[which];
		const { columns } = this.slots;
		const live = new Map<number, number[]>();
		for (let i = 0; i < this.length; i++) {
			const id = columns[blockColumn][i];
			if (id < 0) continue;
			const slots = live.get(id);
			if (slots) slots.push(i);
			else live.set(id, [i]);
		}
		for (const [id, block] of this.blocks) {
			if (block.which !== which) continue;
			const slots = live.get(id);
			if (!slots) {
				this.blocks.delete(id);
				continue;
			}
			if (slots.some((slot) => columns[OWNER[which]][slot] >= 0)) continue;
			const kept = keepBlockRows(block, slots.map((slot) => columns[inside][slot]), this.headDim);
			if (kept === block) continue;
			endSharing(this, which, slots);
			this.blocks.set(id, kept);
			slots.forEach((slot, row) => (columns[inside][slot] = row));
		}
	}

	/** Encodes slots (ascending, exact) as one block. */
	encode(slots: ArrayLike<number>, which: Which, codec: Codec, beforeRope: boolean): void {
		const { columns } = this.slots;
		const numbers = new Float32Array(slots.length * this.headDim);
		const angles = new Int32Array(slots.length);
		for (let i = 0; i < slots.length; i++) {
			numbers.set(this.numbers(slots[i], which), i * this.headDim);
			angles[i] = columns.angle[slots[i]];
		}
		const block = encodeBlock({ which, codec, numbers, angles, beforeRope }, this.headDim, this.rope);
		const id = this.nextBlock++;
		this.blocks.set(id, block);
		endSharing(this, which, slots);
		for (let i = 0; i < slots.length; i++) {
			if (which === 'K') this.releaseKey(slots[i]);
			else this.releaseValue(slots[i]);
			columns[SIDES[which].block][slots[i]] = id;
			columns[SIDES[which].inside][slots[i]] = i;
			this.markDirty(slots[i], DIRTY_NUMBERS);
		}
	}

	/** New exact numbers for an exact slot. */
	rewrite(slot: number, value: Float32Array, key?: Float32Array): void {
		const { columns } = this.slots;
		const row = this.valueRows.add(value);
		endSharing(this, 'V', [slot]);
		this.releaseValue(slot);
		columns.rowV[slot] = row;
		if (key) {
			endSharing(this, 'K', [slot]);
			const keyRow = this.keyRows.add(key);
			this.releaseKey(slot);
			columns.rowK[slot] = columns.sourceK[slot] = keyRow;
			columns.sourceAngle[slot] = columns.angle[slot];
		}
		this.markDirty(slot, DIRTY_NUMBERS);
	}

	/** Turns the keys so that slot j stands at angle j. */
	rerotate(): void {
		const { columns } = this.slots;
		const exact: number[] = [];
		const turned = new Set<number>();
		for (let j = 0; j < this.length; j++) {
			if (columns.angle[j] === j) continue;
			columns.angle[j] = j;
			this.markDirty(j, DIRTY_NUMBERS);
			if (columns.blockK[j] >= 0) turned.add(columns.blockK[j]);
			else exact.push(j);
		}
		this.turnExact(exact);
		for (const id of turned) this.blocks.set(id, turnBlock(this.blocks.get(id)!, this.anglesOf(id), this.headDim, this.rope));
	}

	/** Angle of each row of a block of keys, NaN where its slot is gone. */
	private anglesOf(id: number): Float64Array {
		const { angle, blockK, inK } = this.slots.columns;
		const angles = new Float64Array(this.blocks.get(id)!.payload.rows).fill(NaN);
		for (let slot = 0; slot < this.length; slot++) if (blockK[slot] === id) angles[inK[slot]] = angle[slot];
		return angles;
	}

	/** Presents exact keys at their slots' angles, from the numbers before any turn. */
	private turnExact(slots: number[]): void {
		const { columns } = this.slots;
		const d = this.headDim;
		const sources = new Float32Array(slots.length * d);
		slots.forEach((slot, i) => sources.set(this.keyRows.view(columns.sourceK[slot]), i * d));
		// One call for all: neighbours mostly turn by the same angle.
		const keys = this.rope.rotate(sources, slots.map((slot) => columns.angle[slot] - columns.sourceAngle[slot]), d);
		slots.forEach((slot, i) => {
			if (columns.rowK[slot] !== columns.sourceK[slot]) this.keyRows.release(columns.rowK[slot]);
			columns.rowK[slot] = this.keyRows.add(keys.subarray(i * d, (i + 1) * d));
		});
	}

	/** K or V of slots becomes what `from` (or whom it has it from itself) holds in its slots `there`. */
	adopt(pairs: readonly { slot: number; there: number }[], which: Which, from: HeadStore): void {
		const { columns } = this.slots;
		const ids = new Map<Block, number>();
		const shared = pairs.map(({ slot, there }) => ({ slot, owner: ownerOf(from, which, there) })).filter(({ owner }) => owner.head !== this);
		endSharing(this, which, shared.map(({ slot }) => slot));
		for (const { slot, owner } of shared) {
			const [theirs, block] = [owner.head.slots.columns, owner.head.blockOf(owner.slot, which)];
			if (which === 'K') this.releaseKey(slot);
			else this.releaseValue(slot);
			if (block && !ids.has(block)) {
				ids.set(block, this.nextBlock++);
				this.blocks.set(ids.get(block)!, block);
			}
			columns[SIDES[which].block][slot] = block ? ids.get(block)! : -1;
			columns[SIDES[which].inside][slot] = theirs[SIDES[which].inside][owner.slot];
			if (!block && which === 'V') columns.rowV[slot] = this.valueRows.add(owner.head.stored(owner.slot, 'V'));
			if (!block && which === 'K') {
				columns.rowK[slot] = columns.sourceK[slot] = this.keyRows.add(owner.head.stored(owner.slot, 'K'));
				columns.sourceAngle[slot] = theirs.sourceAngle[owner.slot];
				if (columns.sourceAngle[slot] !== columns.angle[slot]) this.turnExact([slot]);
			}
			link(this, which, [slot], owner.head);
			this.markDirty(slot, DIRTY_NUMBERS);
		}
		this.dropDeadRows(which);
	}

	/** One stored number of an exact slot changes. */
	overwrite(slot: number, which: Which, channel: number, to: number): void {
		const { columns } = this.slots;
		const numbers = this.stored(slot, which).slice();
		numbers[channel] = to;
		if (which === 'V') {
			this.releaseValue(slot);
			columns.rowV[slot] = this.valueRows.add(numbers);
		} else {
			this.releaseKey(slot);
			columns.rowK[slot] = columns.sourceK[slot] = this.keyRows.add(numbers);
			if (columns.sourceAngle[slot] !== columns.angle[slot]) this.turnExact([slot]);
		}
		columns.past[slot] |= PAST.corrupted;
		this.markDirty(slot, DIRTY_NUMBERS);
	}

	/** What is read of blocks with this payload comes from another one from now on. */
	replacePayload(before: Payload, after: Payload): void {
		const { columns } = this.slots;
		for (const [id, block] of this.blocks) {
			if (block.payload !== before) continue;
			const decoded = block.codec.decode(after);
			const changed = { ...block, payload: after, decoded, presented: decoded };
			const plain = block.presented === block.decoded;
			const { block: ids, inside } = SIDES[block.which];
			this.blocks.set(id, plain ? changed : turnBlock(changed, this.anglesOf(id), this.headDim, this.rope));
			for (let slot = 0; slot < this.length; slot++) {
				if (columns[ids][slot] !== id) continue;
				const [from, to] = [columns[inside][slot] * this.headDim, (columns[inside][slot] + 1) * this.headDim];
				if (decoded.subarray(from, to).some((x, i) => !Object.is(x, block.decoded[from + i]))) columns.past[slot] |= PAST.corrupted;
				// All of them: they leave the page that holds their rulers for one with the new ones.
				this.markDirty(slot, DIRTY_NUMBERS);
			}
		}
	}
}
