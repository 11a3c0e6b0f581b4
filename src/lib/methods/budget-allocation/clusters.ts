/** Heads in groups that share one length, and lengths for the groups. Pure functions; heads are numbered through all layers. */
import { topSlots } from '../select.ts';
import { apportion } from '../wrap.ts';

/** Groups of `size` heads: in the order given, or by `greed`, the greediest first and equal ones in order; members ascend. The last may be smaller. */
export function clustersOf(heads: readonly number[], size: number, greed?: ArrayLike<number>): number[][] {
	const order = greed ? [...heads].sort((a, b) => greed[b] - greed[a] || a - b) : [...heads];
	return Array.from({ length: Math.ceil(order.length / size) }, (_, i) => order.slice(i * size, (i + 1) * size).sort((a, b) => a - b));
}

/** How many of the best `total` numbers of all rows together lie in each row; equal ones go to the earlier row and place. */
export function countAmongBest(rows: readonly ArrayLike<number>[], total: number): number[] {
	const owner = rows.flatMap((row, i) => new Array<number>(row.length).fill(i));
	const counts = rows.map(() => 0);
	for (const at of topSlots(rows.flatMap((row) => Array.from(row)), total)) counts[owner[at]]++;
	return counts;
}

/** Whole lengths in proportion to `weights`, none above its `room`, that add up to `total` or to all the room there is. */
export function inProportion(weights: readonly number[], room: readonly number[], total: number): number[] {
	const lengths = weights.map(() => 0);
	let open = weights.map((_, i) => i);
	let left = Math.min(total, room.reduce((a, b) => a + b, 0));
	while (left > 0 && open.length > 0) {
		const sum = open.reduce((all, i) => all + weights[i], 0);
		const parts = apportion(open.map((i) => (sum > 0 ? (left * weights[i]) / sum : left / open.length)), left);
		const full = open.filter((i, at) => parts[at] >= room[i]);
		if (full.length === 0) {
			open.forEach((i, at) => (lengths[i] = parts[at]));
			break;
		}
		// What a full head cannot take goes to the others.
		for (const i of full) {
			lengths[i] = room[i];
			left -= room[i];
		}
		open = open.filter((i) => !full.includes(i));
	}
	return lengths;
}
