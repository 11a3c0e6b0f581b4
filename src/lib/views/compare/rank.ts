/**
 * Who is best at equal bytes. Ranked are the arms of one budget whose bytes differ by at most the tolerance: the
 * largest such group, and of equally large ones the cheapest. The others are named, with by how much they miss it. Pure.
 */
import { rankable, TOLERANCE } from '$lib/documents/match.ts';
import { quality, type Measure, type Point } from './points.ts';

export interface Ranked {
	point: Point;
	/** Counted from 1; equal qualities share a place. */
	place: number;
	/** Its difference to the best is within twice the standard error of that difference. */
	level: boolean;
}

export interface Ranking {
	budget: number;
	ranked: Ranked[];
	/** Arms that are left out of the order. `off`, in per cent: how much more it costs than the cheapest of the ranked; negative: how much more their dearest costs. */
	refused: { point: Point; off: number }[];
	/** Bytes of the ranked arms: the lesser and greater share. */
	shares: [number, number] | null;
	/** Whether the bytes of all that are ranked allow it, and the sentence for it. */
	fair: ReturnType<typeof rankable>;
}

const cost = ({ title, share }: Point) => ({ label: title, bytes: share });

/** `anyway`: ranks all arms of the budget, whatever their bytes; `fair` then says what that is worth. */
export function rankAt(points: readonly Point[], budget: number, measure: Measure, anyway = false): Ranking {
	const arms = points.filter((point) => point.budget === budget && !Number.isNaN(quality(point, measure)));
	const group = anyway ? arms : equalBytes(arms);
	const best = group.length ? group.reduce((a, b) => (quality(b, measure) > quality(a, measure) ? b : a)) : null;
	const ordered = [...group].sort((a, b) => quality(b, measure) - quality(a, measure) || a.share - b.share || a.title.localeCompare(b.title));
	const ranked = ordered.map((point): Ranked => ({
		point, place: 1 + ordered.findIndex((other) => quality(other, measure) === quality(point, measure)), level: isLevel(best!, point, measure)
	}));
	const shares = group.map(({ share }) => share);
	const [least, most] = [Math.min(...shares), Math.max(...shares)];
	const refused = arms.filter((point) => !group.includes(point)).map((point) => ({ point, off: point.share > most ? 100 * (point.share / least - 1) : -100 * (most / point.share - 1) }));
	return {
		budget, ranked, refused: refused.sort((a, b) => Math.abs(a.off) - Math.abs(b.off)), shares: group.length ? [least, most] : null,
		fair: rankable(group.map(cost))
	};
}

/** The largest group of arms that `rankable` lets through. */
function equalBytes(arms: readonly Point[]): Point[] {
	const sorted = [...arms].sort((a, b) => a.share - b.share);
	let found: Point[] = [];
	sorted.forEach((first, from) => {
		let to = from + 1;
		while (to < sorted.length && rankable([cost(first), cost(sorted[to])], TOLERANCE).ok) to++;
		if (to - from > found.length) found = sorted.slice(from, to);
	});
	return found;
}

function isLevel(best: Point, point: Point, measure: Measure): boolean {
	const difference = Math.abs(quality(best, measure) - quality(point, measure));
	return difference <= 2 * Math.hypot(best[measure]?.se ?? 0, point[measure]?.se ?? 0);
}

/** The best of each budget, in their order, among arms that may be ranked. `others`: how many have the same value. */
export function bestOfEach(points: readonly Point[], budgets: readonly number[], measure: Measure): { budget: number; point: Point; others: number }[] {
	return budgets.flatMap((budget) => {
		const { ranked } = rankAt(points, budget, measure);
		// Where nobody is ever right, nobody is best.
		return ranked.length && quality(ranked[0].point, measure) !== 0 ? [{ budget, point: ranked[0].point, others: ranked.filter(({ place }) => place === 1).length - 1 }] : [];
	});
}
