/**
 * The one selection that every picture obeys. *Locked* is what was clicked or typed and stays;
 * *hover* is what the pointer or the focus passes over and goes away by itself. A picture draws
 * the effective value: hover where there is one, else locked.
 */
import { createContext } from 'svelte';

export interface SelectionShape {
	layers: number;
	heads: number;
	kvHeads: number;
	/** Positions that exist (prompt + steps so far). */
	positions: number;
	steps: number;
	arms: number;
}

export interface SelectionFields {
	/** Logical position of a token; null = none. */
	position: number | null;
	layer: number;
	/** KV head. */
	head: number;
	/** Query head; always one of the KV head's group. */
	queryHead: number;
	/** Step looked at; null = the newest, -1 = right after the prompt. */
	step: number | null;
	arm: number;
}

const START: SelectionFields = { position: null, layer: 0, head: 0, queryHead: 0, step: null, arm: 0 };
const EMPTY: SelectionShape = { layers: 1, heads: 1, kvHeads: 1, positions: 0, steps: 0, arms: 1 };

const within = (value: number, size: number) => Math.min(Math.max(0, size - 1), Math.max(0, value));

/** Fits a change to the shape and keeps query head and KV head in one group. Pure. */
export function settle(now: SelectionFields, change: Partial<SelectionFields>, shape: SelectionShape): SelectionFields {
	const next = { ...now, ...change };
	const group = Math.max(1, Math.floor(shape.heads / shape.kvHeads));
	if (change.queryHead !== undefined && change.head === undefined) next.head = Math.floor(next.queryHead / group);
	next.layer = within(next.layer, shape.layers);
	next.head = within(next.head, shape.kvHeads);
	if (Math.floor(next.queryHead / group) !== next.head) next.queryHead = next.head * group;
	next.queryHead = within(next.queryHead, shape.heads);
	next.arm = within(next.arm, shape.arms);
	if (next.position !== null) next.position = shape.positions > 0 ? within(next.position, shape.positions) : null;
	if (next.step !== null) next.step = Math.max(-1, Math.min(shape.steps - 1, next.step));
	return next;
}

export class Selection {
	#shape = $state.raw<SelectionShape>(EMPTY);
	#locked = $state.raw<SelectionFields>(START);
	#hover = $state.raw<Partial<SelectionFields> | null>(null);
	#now = $derived(this.#hover ? settle(this.#locked, this.#hover, this.#shape) : this.#locked);

	get shape(): SelectionShape { return this.#shape; }
	get locked(): SelectionFields { return this.#locked; }
	get hovered(): Partial<SelectionFields> | null { return this.#hover; }

	get position(): number | null { return this.#now.position; }
	get layer(): number { return this.#now.layer; }
	get head(): number { return this.#now.head; }
	get queryHead(): number { return this.#now.queryHead; }
	get step(): number | null { return this.#now.step; }
	get arm(): number { return this.#now.arm; }

	/** The step as an index: the newest when none is chosen; -1 when there is no step. */
	get stepIndex(): number {
		return this.#now.step ?? this.#shape.steps - 1;
	}

	/** A new trace or a new step: what no longer exists is let go. */
	fit(shape: SelectionShape): void {
		this.#shape = shape;
		this.#locked = settle(this.#locked, {}, shape);
		if (this.#hover) this.#hover = null;
	}

	/** Click, arrow key or link: stays. A changed selection clears the hover. */
	lock(change: Partial<SelectionFields>): void {
		this.#locked = settle(this.#locked, change, this.#shape);
		this.#hover = null;
	}

	/** Click on a mark: locks it, or lets the position go when it is what was locked already. */
	toggle(change: Partial<SelectionFields>): void {
		const same = Object.entries(change).every(([key, value]) => this.#locked[key as keyof SelectionFields] === value);
		if (same && change.position !== undefined) this.lock({ position: null });
		else if (same && change.step !== undefined) this.lock({ step: null });
		else this.lock(change);
	}

	/** The pointer or the focus is here; null when it left. */
	hover(change: Partial<SelectionFields> | null): void {
		this.#hover = change;
	}

	/** Escape: first the hover, then the token, then the step. False when there was nothing to clear. */
	clear(): boolean {
		if (this.#hover) {
			this.#hover = null;
			return true;
		}
		if (this.#locked.position === null && this.#locked.step === null) return false;
		this.lock({ position: null, step: null });
		return true;
	}

	/** What a link carries; fields at their start value are left out. */
	toJSON(): Partial<SelectionFields> {
		return Object.fromEntries(
			Object.entries(this.#locked).filter(([key, value]) => value !== START[key as keyof SelectionFields])
		);
	}

	/** Takes what `toJSON` gave; what it left out is at its start, what is no whole number is ignored. */
	restore(value: unknown): void {
		if (typeof value !== 'object' || value === null) return;
		const change: Partial<SelectionFields> = { ...START };
		for (const key of Object.keys(START) as (keyof SelectionFields)[]) {
			const field = (value as Record<string, unknown>)[key];
			if (Number.isInteger(field)) change[key] = field as number;
		}
		this.lock(change);
	}
}

export const [getSelection, setSelection] = createContext<Selection>();
