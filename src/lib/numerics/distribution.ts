/** Distributions given as logits; all sums in float64. */

/** log(sum(exp(x))), -Infinity for nothing. */
export function logSumExp(x: ArrayLike<number>): number {
	let max = -Infinity;
	for (let i = 0; i < x.length; i++) if (x[i] > max) max = x[i];
	if (!Number.isFinite(max)) return max;
	let sum = 0;
	for (let i = 0; i < x.length; i++) sum += Math.exp(x[i] - max);
	return max + Math.log(sum);
}

/** Probabilities of logits. */
export function softmax(x: ArrayLike<number>): Float64Array {
	const log = logSumExp(x);
	const p = new Float64Array(x.length);
	for (let i = 0; i < x.length; i++) p[i] = Math.exp(x[i] - log);
	return p;
}

/** KL(p || q) in nats of the distributions with these logits; never below 0. */
export function klFromLogits(p: ArrayLike<number>, q: ArrayLike<number>): number {
	if (p.length !== q.length) {
		throw new RangeError(`distributions over ${p.length} and ${q.length} outcomes cannot be compared`);
	}
	const logP = logSumExp(p);
	const logQ = logSumExp(q);
	let sum = 0;
	for (let i = 0; i < p.length; i++) {
		const lp = p[i] - logP;
		const weight = Math.exp(lp);
		if (weight > 0) sum += weight * (lp - (q[i] - logQ));
	}
	return Math.max(0, sum);
}

/** -log p of one outcome, nats. */
export function negativeLogLikelihood(logits: ArrayLike<number>, outcome: number): number {
	return logSumExp(logits) - logits[outcome];
}
