/**
 * Which pages each row and KV head has, as attention reads it. One int32 tensor:
 *   [batch]              rows that have pages, in order (as many as there are)
 *   [batch]              index of each row in that list, -1 where it has no page
 *   [heads]              page slots of each head in use, holes included
 *   [heads, slots]       page of each slot, -1 in a hole
 * heads = batch x kvHeads.
 */
import type { Tensor } from '@tensorflow/tfjs-core';
import { persistentFrom } from '../buffers.ts';
import type { Scatter } from '../scatter/index.ts';

export class PageTable {
	private readonly lists: number[][];
	private device: Tensor | null = null;
	private active: number[] = [];

	/** `slots`: page slots a head for a start. */
	constructor(private readonly batch: number, private readonly kvHeads: number, public slots: number, private readonly scatter: Scatter) {
		this.lists = Array.from({ length: batch * kvHeads }, () => []);
	}

	get activeRows(): number {
		return this.active.length;
	}

	/** Most page slots that a head has. */
	get longest(): number {
		return Math.max(0, ...this.lists.map((list) => list.length));
	}

	/** Numbers on the device. */
	get size(): number {
		return this.device?.size ?? 0;
	}

	/** Pages that heads which have some may still take before `slots` is full. */
	expected(): number {
		return this.lists.reduce((sum, list) => sum + (list.length > 0 ? this.slots - list.length : 0), 0);
	}

	page(head: number, slot: number): number {
		const page = this.lists[head][slot];
		if (page === undefined || page < 0) throw new RangeError(`head ${head} has no page in slot ${slot}`);
		return page;
	}

	add(head: number, page: number): number {
		const list = this.lists[head];
		const hole = list.indexOf(-1);
		const slot = hole < 0 ? list.length : hole;
		list[slot] = page;
		if (list.length > this.slots) {
			this.slots = Math.ceil(1.5 * list.length);
			this.dispose();
		}
		this.put(head, slot);
		return slot;
	}

	/** Empties a slot and gives the page it had. */
	remove(head: number, slot: number): number {
		const page = this.page(head, slot);
		const list = this.lists[head];
		list[slot] = -1;
		while (list.at(-1) === -1) list.pop();
		this.put(head, slot);
		return page;
	}

	tensor(): Tensor {
		return (this.device ??= persistentFrom(this.all(), [2 * this.batch + this.lists.length * (1 + this.slots)]));
	}

	dispose(): void {
		if (!this.device) return;
		this.scatter.drop(this.device);
		this.device.dispose();
		this.device = null;
	}

	/** Sends a slot of a head, its count and, if they have changed, the rows with pages. */
	private put(head: number, slot: number): void {
		const row = Math.floor(head / this.kvHeads);
		const isActive = this.lists.slice(row * this.kvHeads, (row + 1) * this.kvHeads).some((list) => list.length > 0);
		const changed = isActive !== this.active.includes(row);
		if (changed) this.active = isActive ? [...this.active, row].sort((a, b) => a - b) : this.active.filter((other) => other !== row);
		if (!this.device) return;
		if (changed) this.scatter.put(this.device, 0, this.rowLists());
		this.scatter.put(this.device, 2 * this.batch + head, [this.lists[head].length]);
		this.scatter.put(this.device, 2 * this.batch + this.lists.length + head * this.slots + slot, [this.lists[head][slot] ?? -1]);
	}

	private rowLists(): number[] {
		return [
			...Array.from({ length: this.batch }, (_, i) => this.active[i] ?? -1),
			...Array.from({ length: this.batch }, (_, row) => this.active.indexOf(row))
		];
	}

	private all(): Int32Array {
		const numbers = this.rowLists().concat(this.lists.map((list) => list.length));
		for (const list of this.lists) for (let slot = 0; slot < this.slots; slot++) numbers.push(list[slot] ?? -1);
		return Int32Array.from(numbers);
	}
}
