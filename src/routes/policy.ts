/** The reader as the policy: an arm without methods whose one `keep` says which prompt tokens stay. Pure. */
import type { ArmSpec, Edit } from '$lib/documents/experiment.ts';
import { rankable, TOLERANCE } from '$lib/documents/match.ts';
import { meanKl } from '$lib/documents/read.ts';
import { PROMPT_STEP, type ModelShape, type Trace } from '$lib/documents/trace.ts';

const isPolicy = ({ act, step, layer, head }: Edit) => act === 'keep' && step === PROMPT_STEP && layer === undefined && head === undefined;

/** What the reader lets stay, ascending; null when the arm is no policy of the reader. */
export function marksOf(arm: ArmSpec | undefined): number[] | null {
	if (!arm || arm.stack.length > 0) return null;
	return arm.edits?.find(isPolicy)?.positions ?? null;
}

/** The arm with other marks. One at least has to stay: without any it is the last token of a prompt of `n`. */
export function withMarks(arm: ArmSpec, marks: Iterable<number>, n: number): ArmSpec {
	const positions = [...new Set(marks)].filter((p) => p >= 0 && p < n).sort((a, b) => a - b);
	const keep: Edit = { step: PROMPT_STEP, act: 'keep', positions: positions.length ? positions : [n - 1] };
	return { ...arm, edits: [keep, ...(arm.edits ?? []).filter((edit) => !isPolicy(edit))] };
}

/** Bytes of a cache in which every head keeps the same `tokens` exact tokens, each with its position. */
export function bytesOfMarks({ layers, kvHeads, headDim }: ModelShape, tokens: number): number {
	return layers * kvHeads * tokens * (4 * headDim + 2);
}

/** As many tokens as that many bytes can hold; at least one, at most the prompt. */
export function tokensFor(model: ModelShape, bytes: number, n: number): number {
	return Math.max(1, Math.min(n, Math.floor(bytes / bytesOfMarks(model, 1))));
}

/** The marks with the newest tokens added until the budget is spent. */
export function fillNewest(marks: readonly number[], budget: number, n: number): number[] {
	const all = new Set(marks);
	for (let p = n - 1; p >= 0 && all.size < budget; p--) all.add(p);
	return [...all];
}

/** The tokens that most heads of another arm keep; of equals the newer. */
export function likeArm(kept: readonly (readonly (readonly number[])[])[], budget: number, n: number): number[] {
	const heads = new Array<number>(n).fill(0);
	for (const head of kept.flat()) for (const p of head) if (p < n) heads[p]++;
	return heads.map((_, p) => p).filter((p) => heads[p] > 0).sort((a, b) => heads[b] - heads[a] || b - a).slice(0, budget);
}

export interface Score {
	arm: number;
	kl: number;
	right: boolean | null;
}

/** Arms of a run that cost what arm `own` costs, best first, and those that may not be compared with it. */
export function scoreBeside(trace: Trace, own: number): { ranked: Score[]; other: number[]; tolerance: number } {
	const cost = (i: number) => ({ label: '', bytes: trace.arms[i].billAfterPrompt.total });
	const all = trace.arms.map((_, i) => i);
	const fair = all.filter((i) => rankable([cost(own), cost(i)]).ok);
	const ranked = fair.map((arm) => ({ arm, kl: meanKl(trace.arms[arm]), right: trace.arms[arm].task?.correct ?? null })).sort((a, b) => a.kl - b.kl);
	return { ranked, other: all.filter((i) => !fair.includes(i)), tolerance: TOLERANCE };
}
