/**
 * A fingerprint of what the reference said, so that whoever opens a link can be told that their
 * numbers are the author's. Logits of different backends differ in the last bits, so the hash is
 * over what must not differ: the tokens taken and the most likely tokens with coarse probabilities.
 * The first step at which two runs part is read from the chain of step marks.
 */
import type { RowTrace } from '$lib/documents/trace.ts';
import { fnv1a } from '$lib/numerics/random.ts';

/** A logit difference of 1e-4 moves a probability by less than this. */
const COARSE = 50;
const STEPS = 8;

function mark(step: RowTrace['steps'][number]): number {
	const best = step.top[0];
	return fnv1a(`${step.token}/${best?.id}/${best ? Math.round(best.p * COARSE) : 0}`) & 0xff;
}

/** One byte a step, at most the first 8 steps, in hex: "3f09a1…". Empty before the first step. */
export function fingerprint(reference: RowTrace): string {
	return reference.steps.slice(0, STEPS).map((step) => mark(step).toString(16).padStart(2, '0')).join('');
}

export type Likeness = { same: true } | { same: false; step: number };

/**
 * Compares with the author's. Rounding can fall on the other side of an edge, so one differing mark
 * whose successors agree again does not count; the first of two in a row (or the last mark) does.
 */
export function compareFingerprint(reference: RowTrace, author: string): Likeness | null {
	const mine = fingerprint(reference);
	const steps = Math.min(mine.length, author.length) / 2;
	if (steps === 0 || !/^([0-9a-f]{2})+$/.test(author)) return null;
	const differs = (i: number) => mine.slice(2 * i, 2 * i + 2) !== author.slice(2 * i, 2 * i + 2);
	for (let i = 0; i < steps; i++) {
		if (differs(i) && (i + 1 >= steps || differs(i + 1))) return { same: false, step: i };
	}
	return { same: true };
}
