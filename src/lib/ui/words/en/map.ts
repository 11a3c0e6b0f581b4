import type { Part } from '../../parts.ts';
import { figures, stepName } from './terms.ts';

export const map = {
	finding: 'One cell is one slot, ink is bytes.',
	findingShare: 'A column shows the share of each state; ink is bytes.',
	holds: (letter: string, token: string, held: number, heads: number): Part[] => [
		`Arm ${letter} holds `, { token }, ` in ${held} of ${heads} heads.`
	],
	summary: (letter: string, step: number, heads: number, positions: number): string =>
		`Arm ${letter} after ${step < 0 ? 'the prompt' : `step ${stepName(step)}`}: ${heads} heads, ${positions} positions.`,
	stored: (label: string, held: number, heads: number): string => `Position ${label} is stored in ${held} of ${heads} heads.`,
	noPosition: 'No position is selected.',
	noArm: 'No arm.',
	keys: (summary: string): string => `${figures.map}. Arrow keys move the cell, Enter locks it. ${summary}`,
	reach: { label: 'Positions shown', all: 'all positions', near: 'near the selection' },
	prompt: (bracket: boolean): string => `prompt${bracket ? '; the bracket holds the answer' : ''}`,
	generated: 'generated',
	layer: (layer: number): string => `layer ${layer}`,
	layerShort: (layer: number): string => `L${layer}`,
	others: (layer: number, arms: number): string => `The same layer ${layer} in the other ${arms === 1 ? 'arm' : 'arms'}, same ruler`,
	legend: 'Legend',
	table: {
		caption: (step: number, letter: string): string => `Slots stored by head after step ${step}, arm ${letter}`,
		columns: ['layer', 'KV head', 'stored']
	},
	/** A small picture of an arm's whole cache. */
	ink: (letter: string, bits: string): string => `Ink of arm ${letter}: ${bits} of 16 bits a number`,
	inkFull: 'The full cache: all ink'
};
