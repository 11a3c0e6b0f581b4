import { count } from '../../format.ts';
import { plural } from './grammar.ts';
import { figures } from './terms.ts';

export const ribbon = {
	summary: (tokens: number, letter: string, lost: number): string =>
		`${count(tokens)} tokens; arm ${letter} has dropped ${plural(lost, 'prompt token')} from every head.`,
	rail: (heads: number): string => `The bar under a token is the share of the ${heads} heads that hold it, in ink.`,
	lost: (letter: string, lost: number): string => `No head of ${letter} can read ${plural(lost, 'token')} of the prompt any more.`,
	allRead: (letter: string): string => `Some head of ${letter} can still read every token.`,
	list: (letter: string): string => `${figures.ribbon}, arm ${letter}`,
	option: (position: number, text: string, held: number, heads: number): string => `${position} ${text}, in ${held} of ${heads} heads`,
	table: {
		caption: (step: number, letter: string): string => `Tokens after step ${step} and the heads of arm ${letter} that store them`,
		columns: ['position', 'token', 'heads that store it', 'of', 'state of most heads']
	}
};
