/** Brings a prompt to the length that was asked for. */
import type { Random } from '$lib/numerics/random.ts';
import type { CountTokens } from './pieces.ts';
import { PADS } from './talk.ts';

/** Short sentences of `room` tokens together, or as near below it as they come. */
export function padding(room: number, size: CountTokens, rng: Random): string[] {
	const pads = rng.shuffle(PADS).map((text) => ({ text, size: size(` ${text}`) }));
	let best: { texts: string[]; size: number } = { texts: [], size: 0 };
	const search = (texts: string[], used: number, depth: number): boolean => {
		if (used > best.size) best = { texts, size: used };
		if (best.size === room) return true;
		if (depth === 0) return false;
		return pads.some((pad) => used + pad.size <= room && !texts.includes(pad.text) && search([...texts, pad.text], used + pad.size, depth - 1));
	};
	// The fewest sentences first: one, then two and so on.
	for (let depth = 1; depth <= 4; depth++) if (search([], 0, depth)) break;
	return best.texts;
}

/** What `fillTo` needs to know about the text. */
export interface Filling {
	/** Tokens that the whole prompt shall have. */
	target: number;
	/** Tokens of the whole prompt with these units in it. */
	measure(units: readonly string[]): number;
	/** About how many tokens one unit has. */
	size(unit: string): number;
	next(): string;
	/** Units that fill exactly what is left. */
	close(left: number): string[];
}

/**
 * Units of text that bring a prompt to its length. Tokens of a text need not be the sum of the tokens
 * of its parts, so the whole is measured again until only a few tokens are missing.
 */
export function fillTo({ target, measure, size, next, close }: Filling): string[] {
	const units: string[] = [];
	for (;;) {
		let left = target - measure(units);
		const before = units.length;
		while (left > 14) {
			const unit = next();
			left -= size(unit);
			if (left < 0) break;
			units.push(unit);
		}
		if (units.length === before) break;
	}
	const left = target - measure(units);
	return left > 0 ? [...units, ...close(left)] : units;
}

/** Puts `inserts` between `units`, each after the share of the units' tokens that its mark says. */
export function weave<T>(units: readonly T[], sizes: readonly number[], inserts: readonly { mark: number; unit: T }[]): T[] {
	const total = sizes.reduce((sum, n) => sum + n, 0);
	const result: T[] = [];
	let before = 0;
	let next = 0;
	for (let i = 0; i <= units.length; i++) {
		// A needle goes to the nearest gap between two units.
		const half = i < units.length ? sizes[i] / 2 : Infinity;
		while (next < inserts.length && inserts[next].mark * total < before + half) result.push(inserts[next++].unit);
		if (i < units.length) {
			result.push(units[i]);
			before += sizes[i];
		}
	}
	return result;
}
