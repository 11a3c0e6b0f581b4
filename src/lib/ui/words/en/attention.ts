import { count, percent, probability, significant } from '../../format.ts';
import { stepName } from './terms.ts';

const inHead = (layer: number, head: number): string => `layer ${layer}, query head ${head}`;
const InHead = (layer: number, head: number): string => `Layer ${layer}, query head ${head}`;

export const attention = {
	finding: (heads: number, step: number): string =>
		`${count(heads)} query heads at step ${stepName(step)}; KV groups share a bracket. Ink stands for slots held; what hangs below, and the red bar, is mass on slots now gone.`,
	worst: (step: number, letter: string, layer: number, head: number, lost: number): string =>
		`At step ${stepName(step)} the head that reads most of what arm ${letter} no longer has is ${inHead(layer, head)}: ${percent(lost)} of its mass.`,
	own: (layer: number, head: number, lost: number): string => `${InHead(layer, head)}: ${percent(lost)} of the mass fell on slots now gone.`,
	head: (layer: number, head: number): string => `${InHead(layer, head)}`,
	order: { label: 'Order of the heads', lost: 'sorted', layer: 'by layer' },
	noStep: 'No step yet. Attention is drawn from the first step on.',
	allHeads: 'all heads at this step',
	thisHead: 'the attention of this head',
	minis: {
		label: 'Query heads',
		group: (kvHead: number, short: boolean): string => `${short ? 'KV' : 'KV head'} ${kvHead}`,
		layer: (layer: number): string => `L${layer}`,
		head: (layer: number, head: number): string => `L${layer} h${head}`,
		about: (layer: number, head: number, lost: number): string => `${inHead(layer, head)}, ${percent(lost)} of the mass lost`,
		scale: (positions: number, limit: number): string =>
			`each: position 0 to ${positions - 1}, root scale 0 to ${probability(limit)}; bar: mass lost, 0 to 1`
	},
	panels: {
		full: 'Full cache',
		arm: (letter: string): string => `Arm ${letter}`,
		difference: (letter: string): string => `Full minus ${letter}`,
		byStep: (panel: string): string => `${panel}: attention by step and position`,
		reading: (step: number, label: string, full: number, letter: string, arm: number): string =>
			`step ${stepName(step)}, position ${label}: full ${significant(full)}, arm ${letter} ${significant(arm)}`,
		weight: 'attention weight, shared root scale',
		change: 'difference, the same scale round zero',
		gained: (limit: number): string => `−${significant(limit, 2)} gained`,
		lost: (limit: number): string => `lost +${significant(limit, 2)}`,
		nothingLost: (step: number, letter: string): string => `At step ${stepName(step)} this head reads no slot that arm ${letter} has lost`,
		massLost: (step: number): string => `of the mass at step ${stepName(step)} fell on slots now gone`,
		onSummary: (share: number, letter: string): string => `${percent(share)} of arm ${letter}’s own mass was read from the summary.`,
		axes: (steps: number, reading: string): string => `position, across; generated step, down (${steps} steps). ${reading}.`
	},
	table: {
		caption: (layer: number, head: number, step: number): string =>
			`${InHead(layer, head)}, step ${stepName(step)}: all positions, those that are read most first`,
		columns: (letter: string): string[] => ['position', 'token', 'full cache', `arm ${letter}`, `full minus ${letter}`]
	}
};
