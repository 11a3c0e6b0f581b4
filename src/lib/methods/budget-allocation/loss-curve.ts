/** What a head loses as tokens go in the order of a score, and how to share out what must go. Pure functions. */
import { slotsWhere } from '../select.ts';

/**
 * C(m): the sum of `useful` over the m open slots with the lowest scores, for m = 0 to all of them.
 * Of equal scores the newer goes first. `open`: 1 where a slot may go.
 */
export function lossCurve(scores: ArrayLike<number>, useful: ArrayLike<number>, open: ArrayLike<number>): Float64Array {
	const order = Array.from(slotsWhere(open)).sort((a, b) => scores[a] - scores[b] || b - a);
	const curve = new Float64Array(order.length + 1);
	order.forEach((slot, m) => (curve[m + 1] = curve[m] + useful[slot]));
	return curve;
}

/** Slopes of the lower convex hull of a curve at 0, 1, 2 ...: one less than its points, never falling. */
export function hullSlopes(curve: ArrayLike<number>): Float64Array {
	const corners: number[] = [];
	for (let m = 0; m < curve.length; m++) {
		while (corners.length > 1) {
			const [a, b] = [corners[corners.length - 2], corners[corners.length - 1]];
			if ((curve[b] - curve[a]) * (m - b) < (curve[m] - curve[b]) * (b - a)) break;
			corners.pop();
		}
		corners.push(m);
	}
	const slopes = new Float64Array(Math.max(0, curve.length - 1));
	for (let i = 1; i < corners.length; i++) {
		const [a, b] = [corners[i - 1], corners[i]];
		slopes.fill((curve[b] - curve[a]) / (b - a), a, b);
	}
	return slopes;
}

/** How many each head gives so that `count` go in all: always where the next slope is least, the first among equals. */
export function drain(slopes: readonly ArrayLike<number>[], count: number): number[] {
	const gone = slopes.map(() => 0);
	for (let i = 0; i < count; i++) {
		let next = -1;
		slopes.forEach((row, head) => {
			if (gone[head] < row.length && (next < 0 || row[gone[head]] < slopes[next][gone[next]])) next = head;
		});
		if (next < 0) break;
		gone[next]++;
	}
	return gone;
}
