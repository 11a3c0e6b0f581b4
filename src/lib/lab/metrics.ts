/** What a row of logits says, and how two rows differ. float64 inside. */
import type { Candidate, StepTrace } from '$lib/documents/trace.ts';
import { logSumExp } from '$lib/numerics/distribution.ts';
import { topK } from '$lib/numerics/select.ts';

/** How many candidates a trace keeps of each distribution. */
export const CANDIDATES = 8;

/** The next-token distribution of one row; what costs a walk over the vocabulary is done once. */
export class Distribution {
	readonly #log: number;
	#best: Int32Array | undefined;

	constructor(readonly logits: Float32Array) {
		this.#log = logSumExp(logits);
	}

	/** log p of a token. */
	logP(id: number): number {
		return this.logits[id] - this.#log;
	}

	/** Ids of the most likely tokens, best first; ties to the lower id. */
	get best(): Int32Array {
		return (this.#best ??= topK(this.logits, Math.min(CANDIDATES, this.logits.length)));
	}

	candidates(textOf: (id: number) => string): Candidate[] {
		return Array.from(this.best, (id) => ({ id, text: textOf(id), p: Math.exp(this.logP(id)) }));
	}

	/** KL(this || other), nats; exactly 0 for equal logits. */
	kl(other: Distribution): number {
		let sum = 0;
		for (let id = 0; id < this.logits.length; id++) {
			const own = this.logP(id);
			const weight = Math.exp(own);
			if (weight > 0) sum += weight * (own - other.logP(id));
		}
		return Math.max(0, sum);
	}
}

/** One step of one row: the token taken, and what the row thought of it. */
export function rowStep(row: Distribution, token: number, text: string, textOf: (id: number) => string): StepTrace {
	return { token, text, top: row.candidates(textOf), nll: -row.logP(token) };
}

export interface Comparison {
	kl: number;
	agrees: boolean;
	fullTop: Candidate[];
	pOfFullTop: number[];
}

/** KL(full || arm) in nats, agreement of the most likely token, and the full cache's favourites in both. */
export function compare(full: Distribution, arm: Distribution, textOf: (id: number) => string): Comparison {
	const fullTop = full.candidates(textOf);
	return { kl: full.kl(arm), agrees: full.best[0] === arm.best[0], fullTop, pOfFullTop: fullTop.map(({ id }) => Math.exp(arm.logP(id))) };
}
