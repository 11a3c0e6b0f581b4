/** What a reader does to a cache by hand. */
import { bytes, nats, percent } from '../../format.ts';
import { plural } from './grammar.ts';

const acts = { pin: 'Pin', evict: 'Evict', restore: 'Restore', keep: 'Keep only' };
/** Steps are counted from 1 for the reader. */
const from = (step: number): string => (step < 0 ? 'before the prompt is compressed' : `from step ${step + 1}`);

export const hand = {
	heading: 'By hand',
	acts,
	about: {
		pin: 'No method may drop it from then on; where it is gone, it comes back.',
		evict: 'It goes, whatever the method says.',
		restore: 'It comes back, exact, as in the full cache.'
	},
	where: { label: 'Where the hand acts', head: 'This head', layer: 'This layer', all: 'All heads' },
	from: { label: 'From when', start: 'From the start', step: (step: number): string => `From step ${step + 1}`, later: 'After this step' },
	/** Name of a button. */
	does: (act: keyof typeof acts, token: string, position: number): string => `${acts[act]} ${token} at ${position}`,
	list: 'Edits of this arm',
	edit: (act: keyof typeof acts, tokens: string, layer: number | undefined, head: number | undefined, step: number): string =>
		`${acts[act]} ${tokens} ${layer === undefined ? (head === undefined ? 'in all heads' : `in head ${head} of all layers`) : head === undefined ? `in layer ${layer}` : `in layer ${layer}, head ${head}`}, ${from(step)}`,
	tokens: (n: number): string => plural(n, 'token'),
	takeBack: (edit: string): string => `Take back: ${edit}`,
	aid: 'The numbers of a restored token come from the full cache that the lab has beside every arm: the lab’s aid, not on the bill. From then on the token is on the bill.',
	onCard: (n: number): string => `${plural(n, 'edit')} by hand`,
	done: (edit: string): string => `${edit}.`
};

export const policy = {
	name: 'You',
	add: 'You are the policy',
	replaces: (letter: string): string => `You are the policy: takes the place of arm ${letter}, and Undo brings it back`,
	title: 'You are the policy',
	about: 'Choose which tokens of the prompt stay, in all heads. All others go before the first word is written.',
	noTokens: 'Run once, and the tokens of this prompt stand here.',
	list: 'Tokens of the prompt; Space marks one to stay',
	option: (position: number, text: string, kept: boolean): string => `${position} ${text}, ${kept ? 'stays' : 'goes'}`,
	counter: (kept: number, budget: number): string => `${kept} of ${plural(budget, 'token')}`,
	cost: (own: number, target: number): string => `${bytes(own)} of ${bytes(target)}`,
	target: 'At the bytes of',
	full: (budget: number): string => `The budget of ${plural(budget, 'token')} is spent. Let one go first.`,
	over: (n: number): string => `${plural(n, 'token')} over the budget.`,
	clear: 'Clear',
	newest: 'Fill with the newest',
	like: (letter: string): string => `Start from ${letter}`,
	keys: 'Arrow keys move, Space marks, Shift with an arrow marks on. Drag to mark several; tap on a touch screen.',
	method: 'Use a method instead',
	close: 'Close',
	/** The arms at the reader's bytes, best first. */
	result: (rows: { letter: string; kl: number; right: boolean | null }[]): string =>
		`At equal bytes, by mean KL: ${rows.map((r, i) => `${i + 1}. ${r.letter} ${nats(r.kl)}${r.right === null ? '' : r.right ? ' (right)' : ' (wrong)'}`).join(', ')}.`,
	notRanked: (letters: string[], tolerance: number): string => `Not ranked, because their bytes differ from yours by more than ${percent(tolerance)}: ${letters.join(', ')}.`,
	wait: 'Run it, and your choice is scored against the other arms.'
};
