/**
 * What is known of the slots of one head beside their numbers, as columns in position order.
 * Index = slot index.
 */
export const ROLES = ['none', 'sink', 'window'] as const;
export type Role = (typeof ROLES)[number];

/** Bits of `dirty`: what the device's working copy has not got yet. */
export const DIRTY_NUMBERS = 1;
export const DIRTY_BIAS = 2;

/** Bits of `hidden`: why attention may not read a slot. */
export const HIDDEN_BY_METHOD = 1;
export const OFFLOADED = 2;

/** Bits of `past`: what has happened to a slot. */
export const PAST = { merged: 1, restored: 2, fetched: 4, corrupted: 8 } as const;

const NEW_COLUMNS = () => ({
	/** Never used twice within a head. */
	id: new Int32Array(0),
	/** Logical position. */
	position: new Int32Array(0),
	/** Angle that the key stands at. */
	angle: new Int32Array(0),
	/** Row of the exact key as presented, -1 when K is encoded; same for the value. */
	rowK: new Int32Array(0),
	rowV: new Int32Array(0),
	/** Row and angle of the key before re-rotation, so that turning again loses nothing. */
	sourceK: new Int32Array(0),
	sourceAngle: new Int32Array(0),
	/** Block that holds K or V and the row within, -1 when exact. */
	blockK: new Int32Array(0),
	blockV: new Int32Array(0),
	inK: new Int32Array(0),
	inV: new Int32Array(0),
	/** Number of the head that K or V belongs to (`HeadStore.owners`), -1 when it is the slot's own. */
	ownerK: new Int32Array(0),
	ownerV: new Int32Array(0),
	/** Physical place in the working copy, -1 before it has one. */
	place: new Int32Array(0),
	bias: new Float32Array(0),
	/** Index into ROLES. */
	role: new Uint8Array(0),
	/** 0 where attention may read the slot. */
	hidden: new Uint8Array(0),
	past: new Uint8Array(0),
	dirty: new Uint8Array(0)
});

type Columns = ReturnType<typeof NEW_COLUMNS>;
export type SlotFields = { [K in keyof Columns]: number };

export class SlotTable {
	length = 0;
	columns: Columns = NEW_COLUMNS();
	private capacity = 0;

	push(fields: SlotFields): void {
		if (this.length === this.capacity) this.resize(Math.max(16, Math.ceil(this.capacity * 1.5)));
		for (const name of Object.keys(fields) as (keyof SlotFields)[]) this.columns[name][this.length] = fields[name];
		this.length++;
	}

	/** Keeps the slots at `indices` (ascending), drops the rest. */
	select(indices: ArrayLike<number>): void {
		for (const column of Object.values(this.columns)) {
			for (let i = 0; i < indices.length; i++) column[i] = column[indices[i]];
		}
		this.length = indices.length;
	}

	/** Puts the slots into another order: slot i is then what slot `order[i]` was. */
	reorder(order: ArrayLike<number>): void {
		for (const column of Object.values(this.columns)) {
			const before = column.slice(0, this.length);
			for (let i = 0; i < this.length; i++) column[i] = before[order[i]];
		}
	}

	/** Copy of a column, as long as there are slots. */
	copy<N extends keyof Columns>(name: N): Columns[N] {
		return this.columns[name].slice(0, this.length) as Columns[N];
	}

	fork(): SlotTable {
		const copy = new SlotTable();
		for (const name of Object.keys(this.columns) as (keyof Columns)[]) {
			(copy.columns as Record<string, unknown>)[name] = this.columns[name].slice(0, this.length);
		}
		copy.length = copy.capacity = this.length;
		return copy;
	}

	private resize(capacity: number): void {
		const wider = NEW_COLUMNS();
		for (const name of Object.keys(wider) as (keyof Columns)[]) {
			const Kind = wider[name].constructor as new (length: number) => Columns[typeof name];
			const column = new Kind(capacity);
			column.set(this.columns[name].subarray(0, this.length));
			(wider as Record<string, unknown>)[name] = column;
		}
		this.columns = wider;
		this.capacity = capacity;
	}
}
