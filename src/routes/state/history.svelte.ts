/** A value with its past and future. Changes with the same name in a row (a slider that moves) are one step. */
const MOST = 100;

export class History<T> {
	value = $state.raw<T>() as T;
	#past = $state.raw<T[]>([]);
	#future = $state.raw<T[]>([]);
	#coalesce = '';

	readonly canUndo = $derived(this.#past.length > 0);
	readonly canRedo = $derived(this.#future.length > 0);

	constructor(value: T) {
		this.value = value;
	}

	/** A new value; the one before can be had back. */
	push(next: T, coalesce = ''): void {
		if (!coalesce || coalesce !== this.#coalesce) this.#past = [...this.#past.slice(1 - MOST), this.value];
		this.#coalesce = coalesce;
		this.#future = [];
		this.value = next;
	}

	/** The slider has come to rest: the next change is a step of its own. */
	settle(): void {
		this.#coalesce = '';
	}

	/** Goes one step back; false when there is none. */
	undo(): boolean {
		const before = this.#past.at(-1);
		if (before === undefined) return false;
		this.#past = this.#past.slice(0, -1);
		this.#future = [this.value, ...this.#future];
		return this.#to(before);
	}

	redo(): boolean {
		const [next, ...rest] = this.#future;
		if (next === undefined) return false;
		this.#past = [...this.#past, this.value];
		this.#future = rest;
		return this.#to(next);
	}

	/** Begins anew: nothing to go back to. */
	begin(value: T): void {
		this.#past = [];
		this.#future = [];
		this.#to(value);
	}

	#to(value: T): true {
		this.#coalesce = '';
		this.value = value;
		return true;
	}
}
