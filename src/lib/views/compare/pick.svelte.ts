/** Which cell is looked at: hover previews, a click locks, and the scatter, the table and the ranking obey it alike. */
export class Pick {
	#locked = $state<string | null>(null);
	#hover = $state<string | null>(null);
	/** A method without a cell, as an address may ask for it. */
	method = $state<string | null>(null);

	get locked(): string | null { return this.#locked; }
	/** What is drawn as looked at: the hover if there is one. */
	get now(): string | null { return this.#hover ?? this.#locked; }
	/** The method whose line is drawn. */
	get nowMethod(): string | null { return this.now?.split('@')[0] ?? this.method; }

	hover(key: string | null): void {
		this.#hover = key;
	}

	lock(key: string | null): void {
		this.#locked = key;
		this.#hover = null;
		this.method = null;
	}

	/** A click: locks, or lets go what is locked already. */
	toggle(key: string): void {
		this.lock(this.#locked === key ? null : key);
	}

	/** Escape. False when there was nothing to clear. */
	clear(): boolean {
		if (this.#hover === null && this.#locked === null && this.method === null) return false;
		this.lock(null);
		return true;
	}
}
