import type { Part } from '../../parts.ts';
import { nats } from '../../format.ts';
import { figures, stepName } from './terms.ts';

export const next = {
	title: (step: number | null): string => (step === null ? figures.next : `${figures.next} at step ${stepName(step)}`),
	other: 'other',
	unknown: '?',
	atMost: (p: string): string => `≤${p}`,
	summary: (step: number, token: string, full: string, letter: string, arm: string): string =>
		`At step ${stepName(step)} the full cache gives ${token} the probability ${full} and arm ${letter} ${arm}.`,
	same: 'Both say the same word.',
	rather: (letter: string, token: string, arm: string, full: string): string => `Arm ${letter} would rather write ${token}, ${arm} against ${full}.`,
	noStep: 'No step has been taken yet.',
	both: (token: string): Part[] => ['Both say ', { token }, '.'],
	differ: (full: string, letter: string, arm: string): Part[] => ['Full says ', { token: full }, `, ${letter} says `, { token: arm }, '.'],
	kl: (kl: number): string => `KL ${nats(kl)} nats`,
	full: 'full cache',
	arm: (letter: string): string => `arm ${letter}`,
	empty: 'No step yet. Run the arms, or take one step, and the two distributions stand here side by side.',
	table: {
		caption: (step: number): string => `Probability of the next token at step ${stepName(step)}, temperature 1, the same tokens before it`,
		columns: (letter: string): string[] => ['token', 'id', 'full cache', `arm ${letter}`],
		atMost: (p: number): string => `at most ${p}`
	}
};
