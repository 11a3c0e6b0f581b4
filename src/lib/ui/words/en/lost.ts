import { count, percent, significant } from '../../format.ts';
import { stepName } from './terms.ts';

const inHead = (layer: number, head: number): string => `layer ${layer}, query head ${head}`;
/** A sum of masses: 1 is all that one head, or the mean head, reads in one step. */
const ofSteps = (sum: number, steps: number): string => `${significant(sum, 2)} of ${count(steps)} ${steps === 1 ? 'step' : 'steps'}`;

export const lost = {
	what: 'the attention on what is gone',
	noStep: 'No step yet. What the full cache reads is drawn from the first step on.',
	finding: (letter: string, share: number, sum: number, steps: number): string =>
		share < 0.0005
			? `Fed the words of arm ${letter}, the full cache reads nothing that the arm no longer has.`
			: `Fed the words of arm ${letter}, the full cache puts ${percent(share, 1)} of its attention on slots that the arm no longer has: in sum ${ofSteps(sum, steps)}.`,
	worst: (layer: number, head: number, sum: number, steps: number): string => `Most in ${inHead(layer, head)}: ${ofSteps(sum, steps)}.`,
	peak: (step: number, share: number): string => `The mean of all heads is highest at step ${stepName(step)}: ${percent(share, 1)}.`,
	lines: {
		label: 'Mass on slots now gone, by step',
		axis: 'share of the attention, root scale',
		all: (heads: number): string => `all ${count(heads)} query heads, mean`,
		layer: (layer: number): string => `layer ${layer}, mean`,
		head: (layer: number, head: number): string => `${inHead(layer, head)}`,
		sum: (sum: number, steps: number): string => `sum ${ofSteps(sum, steps)}`
	},
	step: 'generated step, and the word the arm took',
	layer: (layer: number): string => `L${layer}`,
	sheet: {
		label: 'Mass on slots now gone: all query heads by step',
		reading: (step: number, word: string, layer: number, head: number, mass: number): string =>
			`step ${stepName(step)} ${word}, ${inHead(layer, head)}: ${percent(mass, 1)}`,
		scale: 'mass on slots now gone, root scale',
		none: 'No head reads anything that is gone.'
	},
	counts: 'Rows are query heads, layer by layer. Slots count as gone when the arm could not read them in that step: evicted, merged into another, hidden.',
	table: {
		caption: (letter: string): string => `Mass that the full cache, fed the words of arm ${letter}, puts on slots that the arm no longer has`,
		step: 'step', token: 'token', all: 'mean of all heads',
		layer: (layer: number): string => `mean of layer ${layer}`,
		head: (layer: number, head: number): string => `layer ${layer} head ${head}`
	}
};
