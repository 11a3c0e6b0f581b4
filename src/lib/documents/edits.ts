/** Edits by hand as values: when a token can be acted on, and lists of edits with one more. Pure. */
import type { Edit } from './experiment.ts';

/** Positions that are in a full cache just before step `step` of a run over `n` prompt tokens. */
export function positionsBefore(n: number, step: number): number {
	return n + Math.max(0, step - 1);
}

/** The first step before which a token is in the cache. */
export function earliestStep(n: number, position: number): number {
	return position < n ? 0 : position - n + 2;
}

const scope = ({ step, layer, head }: Edit) => `${Math.max(0, step)} ${layer} ${head}`;

/** The list with one more edit; what it contradicts, at the same step in the same heads, goes. */
export function withEdit(edits: readonly Edit[], edit: Edit): Edit[] {
	const left = edits.flatMap((old) => {
		if (old.act === 'keep' || scope(old) !== scope(edit)) return [old];
		const positions = old.positions.filter((position) => !edit.positions.includes(position));
		return positions.length ? [{ ...old, positions }] : [];
	});
	return [...left, edit];
}
