/**
 * The ruler of one quantization group: where code 0 stands and how far codes are apart, both as
 * the half floats that are stored. They are rounded outward *before* codes are taken, so that the
 * group's least and greatest number are still on the ruler and no error exceeds half a step.
 * Encoding what was decoded changes nothing, unless a group is so narrow and so far from 0 that its
 * step is below the spacing of halves there, or the step itself is a subnormal half (a slot is encoded
 * once, so nothing depends on it).
 */
import { halfAtLeast, halfAtMost, roundToHalf } from '$lib/numerics/half.ts';

const LARGEST = 65504;

export interface Ruler {
	/** Value of code 0 (asymmetric), or of the middle code (symmetric: 0). A half. */
	zero: number;
	/** Distance of codes, a half; 0 when one code is enough. */
	step: number;
}

/** Smallest half s with levels x s >= span, up to float32 rounding at the size of the numbers. */
function stepFor(span: number, levels: number, size: number): number {
	if (!(span > 0)) return 0;
	const nearest = roundToHalf(span / levels);
	// What float32 cannot tell apart is not worth a longer step; it makes encoding idempotent.
	const enough = nearest * levels >= span - size * 2 ** -22 ? nearest : halfAtLeast(span / levels);
	return Math.min(LARGEST, enough);
}

/** Min/max ruler over numbers in [low, high] with codes 0 … levels. */
export function asymmetricRuler(low: number, high: number, levels: number): Ruler {
	const zero = Math.max(-LARGEST, Math.min(LARGEST, halfAtMost(low)));
	return { zero, step: stepFor(high - zero, levels, Math.max(Math.abs(low), Math.abs(high))) };
}

/** Absmax ruler with codes -levels … levels. */
export function symmetricRuler(size: number, levels: number): Ruler {
	return { zero: 0, step: stepFor(size, levels, size) };
}

/** Code of a number: the nearest tick, clamped to [from, to]. */
export function codeOf(x: number, { zero, step }: Ruler, from: number, to: number): number {
	const code = step === 0 ? 0 : Math.round((x - zero) / step);
	return code < from ? from : code > to ? to : code;
}
