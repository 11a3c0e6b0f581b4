import type { Part } from '../../parts.ts';
import { form, list, plural } from './grammar.ts';
import { figures, stepName } from './terms.ts';

export const changed = {
	nothingYet: 'No word is written yet. Press Space to run.',
	onlyFull: 'Only the full cache runs. Add an arm to compare it with.',
	allSame: (arms: number, steps: number): string => `${arms === 1 ? 'The arm writes' : 'Every arm writes'} what the full cache writes, over ${plural(steps, 'step')}.`,
	/** The first arm that leaves; `expected` undefined when the full cache had stopped; `forced` when all read words that were given. */
	first: (letter: string, says: string, step: number, expected: string | undefined, forced: boolean): Part[] => [
		{ strong: letter }, forced ? ' would write ' : ' writes ', { strong: says }, ` at step ${stepName(step)}`,
		...(expected === undefined ? ['; the full cache had stopped.'] : [' where the full cache writes ', { strong: expected }, '.'])
	],
	/** The arms that leave later, and those that have not. */
	others: (leave: { letters: string[]; step: number }[], stay: string[]): string => [
		...leave.map(({ letters, step }) => `${list(letters)} ${form(letters.length, 'leaves', 'leave')} at step ${stepName(step)}`),
		...(stay.length ? [`${list(stay)} ${form(stay.length, 'has', 'have')} not left`] : [])
	].join(', '),
	headline: (step: number, letter: string, says: string, expected: string | undefined): string =>
		`At step ${stepName(step)}, ${letter} writes ${says}${expected === undefined ? '' : ` where full writes ${expected}`}`,
	kl: {
		title: 'KL from full, nats', scale: 'log scale, up is worse;', read: 'at each step both read',
		own: 'the arm’s own words', given: 'the words fed to all'
	},
	axis: 'generated step',
	axisShort: 'step',
	byStep: `${figures.changed}, by step`,
	playhead: 'Playhead: step looked at',
	playheadAt: (step: number, of: number): string => `step ${stepName(step)} of ${of}`,
	table: {
		caption: (provenance: string): string => `KL(full || arm) in nats and the word of each row, by step (${provenance})`,
		step: 'step', full: 'full cache',
		word: (letter: string): string => `${letter} word`,
		kl: (letter: string): string => `${letter} KL`
	}
};
