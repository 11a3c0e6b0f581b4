/** Choosing the next token from logits. */
import type { Random } from '$lib/numerics/random.ts';

export interface Sampling {
	/** 0 takes the most likely token. */
	temperature: number;
	/** Only the k most likely; 0 for all. */
	topK: number;
	/** Only the most likely tokens that together reach this probability; 1 for all. */
	topP: number;
}

/** Index of the largest number; the first of equals. */
export function argmax(numbers: ArrayLike<number>): number {
	let best = 0;
	for (let i = 1; i < numbers.length; i++) if (numbers[i] > numbers[best]) best = i;
	return best;
}

/** Draws one token. Uses exactly one uniform number unless temperature is 0, then none. */
export function sampleToken(logits: Float32Array, { temperature, topK, topP }: Sampling, random: Random): number {
	if (temperature <= 0) return argmax(logits);
	const order = Array.from(logits.keys()).sort((a, b) => logits[b] - logits[a] || a - b);
	const kept = topK > 0 ? order.slice(0, topK) : order;
	const weights = kept.map((id) => Math.exp((logits[id] - logits[kept[0]]) / temperature));
	const nucleus = countForMass(weights, topP);
	const total = weights.slice(0, nucleus).reduce((a, b) => a + b, 0);
	let left = random.uniform() * total;
	for (let i = 0; i < nucleus; i++) {
		left -= weights[i];
		if (left < 0) return kept[i];
	}
	return kept[nucleus - 1];
}

/** How many of the first weights are needed to hold `share` of all; at least one. */
function countForMass(weights: number[], share: number): number {
	if (share >= 1) return weights.length;
	const goal = share * weights.reduce((a, b) => a + b, 0);
	let sum = 0;
	for (let i = 0; i < weights.length; i++) {
		sum += weights[i];
		if (sum >= goal) return i + 1;
	}
	return weights.length;
}
