/**
 * Slots whose key or value is another head's: of another layer, arm or request. There is one array,
 * which its owner pays for. Sharing ends, and either side has its own, when one of them changes or
 * drops what it has: encodes it, rewrites it, evicts it, or drops rows of a block that both hold.
 */
import type { HeadStore } from './head-store.ts';
import type { Which } from './types.ts';

export const OWNER = { K: 'ownerK', V: 'ownerV' } as const;

/** Slot index of a position, -1 where the head has none. */
export function slotAt(head: HeadStore, wanted: number): number {
	const { position } = head.slots.columns;
	let [low, high] = [0, head.length - 1];
	while (low <= high) {
		const middle = (low + high) >> 1;
		if (position[middle] === wanted) return middle;
		if (position[middle] < wanted) low = middle + 1;
		else high = middle - 1;
	}
	return -1;
}

/** The head that a slot's key or value belongs to, itself if it is shared with nobody, and the slot there. */
export function ownerOf(head: HeadStore, which: Which, slot: number): { head: HeadStore; slot: number } {
	const number = head.slots.columns[OWNER[which]][slot];
	if (number < 0) return { head, slot };
	const owner = head.owners[number];
	return { head: owner, slot: slotAt(owner, head.slots.columns.position[slot]) };
}

/** Says that these slots are the owner's from now on. */
export function link(head: HeadStore, which: Which, slots: readonly number[], owner: HeadStore): void {
	let number = head.owners.indexOf(owner);
	if (number < 0) number = head.owners.push(owner) - 1;
	for (const slot of slots) head.slots.columns[OWNER[which]][slot] = number;
	owner.sharers.add(head);
}

/** All that share a slot of its owner, by head. */
export function sharersOf(owner: HeadStore, which: Which, slot: number): { head: HeadStore; slot: number }[] {
	const position = owner.slots.columns.position[slot];
	return [...owner.sharers].flatMap((head) => {
		const at = slotAt(head, position);
		const number = at < 0 ? -1 : head.slots.columns[OWNER[which]][at];
		return number >= 0 && head.owners[number] === owner ? [{ head, slot: at }] : [];
	});
}

/** Ends the sharing of slots that change or go, on both sides. */
export function endSharing(head: HeadStore, which: Which, slots: ArrayLike<number>): void {
	if (head.owners.length === 0 && head.sharers.size === 0) return;
	for (let i = 0; i < slots.length; i++) {
		head.slots.columns[OWNER[which]][slots[i]] = -1;
		for (const other of sharersOf(head, which, slots[i])) other.head.slots.columns[OWNER[which]][other.slot] = -1;
	}
}

/** After a fork: heads share with the forks of their owners, or with the same owners where those were not forked along. */
export function forkSharing(before: readonly HeadStore[], after: readonly HeadStore[]): void {
	const forkOf = new Map(before.map((head, i) => [head, after[i]]));
	for (const head of after) {
		head.owners = head.owners.map((owner) => forkOf.get(owner) ?? owner);
		for (const owner of head.owners) owner.sharers.add(head);
	}
}
