/** The lab's controls: prompt, arms, bytes, run keys. */
import { bytes, percent } from '../../format.ts';
import { form, list, plural } from './grammar.ts';
import { stepName } from './terms.ts';

export const lab = {
	status: (step: number, of: number): string => `figures 7 and 2 · step ${stepName(step)} of ${of}`,
	promptAndModel: 'Prompt and model',
	stale: 'The pictures show the run before your change.',
	working: 'Working',
	runIt: 'Run it',
	nothingRun: 'Nothing has been run yet. The model is a few megabytes; it loads once and runs in this page.',
	transport: {
		stale: 'Run the experiment as it is set now', recorded: 'Run the recorded experiment here', again: 'Run it again', on: 'Go on',
		reset: 'Back to the first experiment; undo brings yours back'
	}
};

export const prompt = {
	label: 'Prompt',
	own: 'Your own text',
	fromLink: 'From the link',
	rightAnswer: 'right answer',
	/** Stands in the field when one's own text has no words yet. */
	example: 'Once upon a time there was a small grey mouse named Pim.',
	ownLabel: 'Your own text. The model writes on where it ends.',
	ownAbout: (letters: number): string => `${plural(letters, 'letter')}. nano was trained on simple English stories, facts, conversations and sums; it knows nothing else.`,
	seed: 'seed',
	seedAbout: 'the same seed always makes the same text',
	asNeeded: 'as needed',
	cameAs: (tokens: boolean): string => `This prompt came with the link as ${tokens ? 'token numbers' : 'a conversation'}. Choose a task or your own text to replace it.`,
	tokens: 'words to write', tokensAbout: 'tokens after the prompt, at most',
	temperature: 'temperature', temperatureAbout: '0 always takes the most likely word',
	forced: 'words fed to all', forcedNone: 'none: every arm writes freely',
	forcedAbout: 'when given, every arm reads these words after the prompt instead of its own',
	model: 'model', modelAbout: 'nano is part of this site; hf:ORG/NAME loads a Llama-layout model from Hugging Face'
};

export const arms = {
	card: (letter: string, name: string): string => `Arm ${letter}: ${name}`,
	ours: 'ours',
	edit: (letter: string): string => `Edit arm ${letter}`,
	duplicate: (letter: string): string => `Duplicate arm ${letter}`,
	remove: (letter: string): string => `Remove arm ${letter}`,
	full: 'Four arms are all there is room for',
	noMethod: 'No method: the full cache again.',
	then: ' then ',
	sameOf: (agreed: number, of: number): string => `${agreed} of ${of}`,
	waiting: 'Changed. Run to measure it.',
	reference: ['the reference,', 'runs beside every arm'],
	trueBits: 'True bits',
	add: 'Add an arm',
	/** A name for an arm from its methods' titles. */
	stackName: (titles: string[]): string => (titles.length ? titles.join(', then ') : 'No method')
};

export const editor = {
	name: (letter: string): string => `Name of arm ${letter}`,
	method: (n: number): string => `Method ${n}`,
	order: (n: number): string => (n === 1 ? 'First' : 'then'),
	up: (title: string): string => `Move ${title} up`,
	down: (title: string): string => `Move ${title} down`,
	remove: (title: string): string => `Remove ${title}`,
	source: 'Where it comes from, and how sure we are',
	confidence: (paper: string, confidence: string, ours: string | undefined): string => `${paper}. ${confidence}${ours ? ` Ours: ${ours}` : ''}`,
	unknown: (id: string): string => `This page has no method “${id}”. Choose another one above.`,
	add: 'Add a method',
	addAfter: 'Add a method after it',
	about: 'Methods act in order on the same cache: first what is kept, then how many bits it gets.',
	param: {
		unit: (name: string): string => `Unit of the ${name}`,
		units: { fraction: '% of tokens', tokens: 'slots', bytes: 'kB' },
		default: 'default',
		toDefault: (name: string): string => `${name}: back to the default`,
		range: (min: number, max: number, odd: boolean): string => `From ${min} to ${max}${odd ? ', odd' : ''}.`
	},
	/** Parameters on an arm's card, a few words each. */
	spec: {
		fraction: (share: number): string => `${+(share * 100).toFixed(1)} % of the prompt`,
		tokens: (n: number): string => `${n} slots a head`,
		bytes: (n: number): string => `${Math.round(n / 1000)} kB`,
		scorer: (title: string): string => `scores by ${title}`,
		not: (name: string): string => `no ${name}`,
		bits: (n: string): string => `${n} bits`
	}
};

export const bytesRuler = {
	title: 'Equal bytes',
	field: 'Budget for all arms',
	noBudget: 'no budget',
	scale: 'Bytes of each arm',
	handle: 'Budget of bytes for all arms that have one',
	value: (n: number, full: number): string => `${bytes(n)}, ${percent(n / full)} of the full cache`,
	ofFull: (n: number, full: number): string => `${percent(n / full)} of full`,
	full: (n: number): string => `full ${bytes(n)}, fp16`,
	type: (example: number): string => `Type bytes, such as ${bytes(example)}, or a share, such as 25 %.`,
	none: 'No arm has a budget of bytes; their bits decide.',
	/** Whose budget the handle shows (null: each arm's), who has another one, who has none. */
	who: (whose: string[] | null, share: number, others: { letter: string; share: number }[], without: string[]): string => {
		const more = [
			...others.map((o) => `${o.letter} has ${percent(o.share)}`),
			...(without.length ? [`${list(without)} ${form(without.length, 'has', 'have')} no budget`] : [])
		];
		return `${whose ? `for ${list(whose)}` : 'for each arm'}, ${percent(share)} of the full cache. ${more.join(', ')}`.trim();
	}
};
