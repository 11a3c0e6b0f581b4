/**
 * Seeded random numbers. Every random choice in Winnow comes from here, so that a seed in an
 * experiment document means the same numbers in the page, the worker and the command line.
 */

/** 32-bit FNV-1a hash of the UTF-8 bytes of `text`. */
export function fnv1a(text: string): number {
	let hash = 0x811c9dc5;
	for (const byte of new TextEncoder().encode(text)) {
		hash = Math.imul(hash ^ byte, 0x01000193);
	}
	return hash >>> 0;
}

/** A stream of uniform numbers with the draws that generators and methods need. */
export interface Random {
	/** Uniform in [0, 1). */
	uniform(): number;
	/** Uniform integer in [low, high], both ends included. */
	int(low: number, high: number): number;
	/** One element, uniformly. */
	pick<T>(items: readonly T[]): T;
	/** `count` different elements in random order. Throws if there are too few. */
	sample<T>(items: readonly T[], count: number): T[];
	/** A shuffled copy. */
	shuffle<T>(items: readonly T[]): T[];
	/** True with probability `p`. */
	chance(p: number): boolean;
	/** Standard normal (Box-Muller). */
	normal(): number;
	/** An independent stream named by `label`; the parent does not advance. */
	fork(label: string): Random;
}

/** Mulberry32: the generator that the conformance fixture prescribes. */
export function mulberry32(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = state;
		t = Math.imul(t ^ (t >>> 15), t | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}

/** A stream from a number or a name. */
export function random(seed: number | string): Random {
	const start = typeof seed === 'string' ? fnv1a(seed) : seed >>> 0;
	const uniform = mulberry32(start);
	let spare: number | null = null;
	const self: Random = {
		uniform,
		int: (low, high) => low + Math.floor(uniform() * (high - low + 1)),
		pick: (items) => items[Math.floor(uniform() * items.length)],
		sample(items, count) {
			if (count > items.length) {
				throw new RangeError(`cannot draw ${count} different items from ${items.length}`);
			}
			return self.shuffle(items).slice(0, count);
		},
		shuffle(items) {
			const copy = items.slice();
			for (let i = copy.length - 1; i > 0; i--) {
				const j = Math.floor(uniform() * (i + 1));
				[copy[i], copy[j]] = [copy[j], copy[i]];
			}
			return copy;
		},
		chance: (p) => uniform() < p,
		normal() {
			if (spare !== null) {
				const value = spare;
				spare = null;
				return value;
			}
			const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
			const angle = 2 * Math.PI * uniform();
			spare = radius * Math.sin(angle);
			return radius * Math.cos(angle);
		},
		fork: (label) => random(fnv1a(`${start}/${label}`))
	};
	return self;
}
