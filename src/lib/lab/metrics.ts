/** What a row of logits says, and how two rows differ. float64 inside. */
import type { Candidate, StepTrace } from '$lib/documents/trace.ts';
import { klFromLogits, negativeLogLikelihood, softmax } from '$lib/numerics/distribution.ts';
import { argmax, topK } from '$lib/numerics/select.ts';

/** How many candidates a trace keeps of each distribution. */
export const CANDIDATES = 8;

/** The most likely tokens, best first. */
export function candidates(logits: Float32Array, textOf: (id: number) => string, count = CANDIDATES): Candidate[] {
	const p = softmax(logits);
	return Array.from(topK(logits, Math.min(count, logits.length)), (id) => ({ id, text: textOf(id), p: p[id] }));
}

/** One step of one row: the token taken, and what the row thought of it. */
export function rowStep(logits: Float32Array, token: number, text: string, textOf: (id: number) => string): StepTrace {
	return { token, text, top: candidates(logits, textOf), nll: negativeLogLikelihood(logits, token) };
}

export interface Comparison {
	kl: number;
	agrees: boolean;
	fullTop: Candidate[];
	pOfFullTop: number[];
}

/** KL(full || arm) in nats, agreement of the most likely token, and the full cache's favourites in both. */
export function compare(full: Float32Array, arm: Float32Array, textOf: (id: number) => string): Comparison {
	const fullTop = candidates(full, textOf);
	const p = softmax(arm);
	return { kl: klFromLogits(full, arm), agrees: argmax(full) === argmax(arm), fullTop, pOfFullTop: fullTop.map(({ id }) => p[id]) };
}
