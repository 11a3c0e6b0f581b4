/**
 * What a head does, by where it looks. One row of attention is split into three places that do not
 * overlap; a head is named after the place that gets at least `SHARE` of its mass, and the largest
 * where several do. Retrieval is measured as by Wu et al. 2024 (Retrieval Head Mechanistically
 * Explains Long-Context Factuality): mass on the token of the prompt that is being copied, in the
 * steps in which one is; theirs counts heads whose largest weight lies there, ours is the weight.
 */
import type { ModelShape, PromptTrace, TypesProbe } from './trace.ts';

/** So many tokens at the start are the sink. */
export const FIRST = 4;
/** So many tokens before the query, its own included, are its neighbourhood. */
export const LAST = 16;
/** Share of its mass from which a head has a type. */
export const SHARE = 0.5;

export const HEAD_TYPES = ['sink', 'local', 'retrieval', 'mixed'] as const;
export type HeadType = (typeof HEAD_TYPES)[number];

/** Shares of one query's attention, or their means. */
export interface HeadMasses {
	/** On the first `FIRST` tokens. */
	first: number;
	/** On the last `LAST` tokens that are not among the first. */
	last: number;
	/** On the tokens that are copied, where they are neither; null where nothing is copied. */
	copied: number | null;
}

/** Positions of the prompt's answers that hold `token`. */
export function copiedFrom(prompt: Pick<PromptTrace, 'ids' | 'needles'>, token: number): number[] {
	const positions = new Set<number>();
	for (const [from, to] of prompt.needles) {
		for (let p = from; p < to; p++) if (prompt.ids[p] === token) positions.add(p);
	}
	return [...positions].sort((a, b) => a - b);
}

/** Masses of one row of attention over the positions 0 … row.length-1, the last of them the query's own. */
export function massesOf(row: ArrayLike<number>, copied: readonly number[] = []): HeadMasses {
	const near = Math.max(FIRST, row.length - LAST);
	const far = copied.filter((p) => p >= FIRST && p < near);
	let first = 0;
	let last = 0;
	for (let p = 0; p < Math.min(FIRST, row.length); p++) first += row[p];
	for (let p = near; p < row.length; p++) last += row[p];
	return { first, last, copied: far.length ? far.reduce((sum, p) => sum + row[p], 0) : null };
}

/** Means over steps; `copied` over those that copied, null without any. */
export function meanMasses(steps: readonly HeadMasses[]): HeadMasses {
	const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
	const copies = steps.flatMap(({ copied }) => (copied === null ? [] : [copied]));
	return {
		first: steps.length ? mean(steps.map((s) => s.first)) : 0,
		last: steps.length ? mean(steps.map((s) => s.last)) : 0,
		copied: copies.length ? mean(copies) : null
	};
}

export function headType({ first, last, copied }: HeadMasses, share = SHARE): HeadType {
	const places: [HeadType, number][] = [['sink', first], ['local', last], ['retrieval', copied ?? 0]];
	const [type, mass] = places.reduce((best, place) => (place[1] > best[1] ? place : best));
	return mass >= share ? type : 'mixed';
}

/** Masses of one head of a probe. */
export function massesIn(probe: TypesProbe, model: ModelShape, layer: number, queryHead: number): HeadMasses {
	const i = layer * model.heads + queryHead;
	return { first: probe.first[i], last: probe.last[i], copied: probe.copies ? probe.copied[i] : null };
}
