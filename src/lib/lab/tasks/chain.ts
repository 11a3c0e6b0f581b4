/** Chains of sums: `Let p = 8. Let w = p - 6.` and the worked answer to what one variable is. */
import type { Random } from '$lib/numerics/random.ts';

export interface Step {
	name: string;
	/** The variable it is made from; the first step has none. */
	from?: string;
	sign?: '+' | '-';
	operand?: number;
	value: number;
}
export const LETTERS: readonly string[] = [...'bcdefghjklmnpqrstuvwxyz'];

/** A sum whose numbers and result stay between 0 and 99. */
export function sum(rng: Random, from: number, operand: number): { sign: '+' | '-'; value: number } {
	const plus = from - operand < 0 || (from + operand <= 99 && rng.chance(0.5));
	return plus ? { sign: '+', value: from + operand } : { sign: '-', value: from - operand };
}

/** `steps` sums, each on the result before it. */
export function makeChain(rng: Random, names: readonly string[]): Step[] {
	let value = rng.int(1, 40);
	return names.map((name, i) => {
		if (i === 0) return { name, value };
		const operand = rng.int(1, 9);
		const next = sum(rng, value, operand);
		value = next.value;
		return { name, from: names[i - 1], operand, ...next };
	});
}

/** The sentence that defines a step, as [words, number]. */
export const letSentence = (step: Step): [string, string] =>
	step.from === undefined
		? [`Let ${step.name} =`, ` ${step.value}`]
		: [`Let ${step.name} = ${step.from} ${step.sign}`, ` ${step.operand}`];

/** What a definition holds that an answer repeats. */
export type Part = 'name' | 'sign' | 'number';

export interface WorkedPart {
	text: string;
	/** The part of which step's definition it repeats. */
	of?: Step;
	part?: Part;
	/** Whether it is due because the variable asked for is reached. */
	reached?: boolean;
}

/** The answer in pieces that begin with a space or a full stop. */
export function workedParts(chain: readonly Step[], target: number): WorkedPart[] {
	const lines = chain.slice(0, target + 1).flatMap((step, i) => [
		{ text: ` ${step.name}`, of: step, part: 'name' as const },
		{ text: ' =' },
		...(i === 0 ? [] : [
			{ text: ` ${chain[i - 1].value}` },
			{ text: ` ${step.sign}`, of: step, part: 'sign' as const },
			{ text: ` ${step.operand}`, of: step, part: 'number' as const },
			{ text: ' =' }
		]),
		i === 0 ? { text: ` ${step.value}`, of: step, part: 'number' as const } : { text: ` ${step.value}` },
		{ text: '.' }
	]);
	return [...lines, { text: ' The', reached: true }, { text: ' answer is' }, { text: ` ${chain[target].value}` }, { text: '.' }];
}

/** The answer works its way up to the variable asked for and stops there. */
export const worked = (chain: readonly Step[], target: number): string =>
	workedParts(chain, target).map(({ text }) => text).join('').trimStart();
