/**
 * Rows of numbers: the prompt's, which all forks share and nobody writes, and own ones that were
 * appended or rewritten. A row is named by its index; released own rows are used again.
 */
export class RowStore {
	private own = new Float32Array(0);
	private ownRows = 0;
	private free: number[] = [];

	constructor(
		/** [baseRows, width]; shared by all forks, never written. */
		readonly base: Float32Array,
		readonly width: number
	) {}

	/** Rows of `base`; a row below is one of them. */
	get baseRows(): number {
		return this.base.length / this.width;
	}

	/** A view; valid until the next `add`. Never write into it. */
	view(row: number): Float32Array {
		const own = row - this.baseRows;
		return own < 0
			? this.base.subarray(row * this.width, (row + 1) * this.width)
			: this.own.subarray(own * this.width, (own + 1) * this.width);
	}

	/** Stores a copy of `numbers` and returns its row. */
	add(numbers: Float32Array): number {
		if (numbers.length !== this.width) throw new RangeError(`a row has ${this.width} numbers, not ${numbers.length}`);
		const row = this.free.pop() ?? this.ownRows++;
		if ((row + 1) * this.width > this.own.length) {
			const grown = new Float32Array(Math.max(8, 2 * row) * this.width);
			grown.set(this.own);
			this.own = grown;
		}
		this.own.set(numbers, row * this.width);
		return this.baseRows + row;
	}

	release(row: number): void {
		if (row >= this.baseRows) this.free.push(row - this.baseRows);
	}

	fork(): RowStore {
		const copy = new RowStore(this.base, this.width);
		copy.own = this.own.slice(0, this.ownRows * this.width);
		copy.ownRows = this.ownRows;
		copy.free = this.free.slice();
		return copy;
	}
}
