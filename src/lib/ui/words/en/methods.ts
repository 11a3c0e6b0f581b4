/** The catalogue of methods. What a method does is told by its own file. */
import { plural } from './grammar.ts';

export const methods = {
	lead: 'Every method that runs here. What stands on these pages comes from the files that run.',
	/** In the order of the catalogue. */
	families: {
		eviction: { name: 'Eviction', about: 'Some tokens go from the cache for good; each method has its own score for who stays.' },
		'budget-allocation': { name: 'Budget allocation', about: 'Heads or layers get more or less of the same memory, by what they need.' },
		merging: { name: 'Merging', about: 'Tokens that would be dropped are added into others that stay.' },
		quantization: { name: 'Quantization', about: 'Every token stays, and its numbers get fewer bits.' },
		'low-rank': { name: 'Low rank', about: 'Keys and values lie in fewer directions or channels than they have numbers, and only those are stored.' },
		retrieval: { name: 'Retrieval', about: 'All tokens are stored, and each step reads only a few of them.' },
		summary: { name: 'Summary', about: 'Tokens that leave are replaced by a small state that stands for all of them together.' }
	},
	filter: 'Which family',
	all: 'All',
	search: 'Search the catalogue',
	searchHint: 'a name, an idea, a parameter',
	found: (shown: number, all: number): string => (shown === all ? plural(all, 'method') : `${shown} of ${plural(all, 'method')}`),
	none: 'No method fits. Take fewer words, or all families.',
	clear: 'Show all methods',
	keysDo: { search: 'Search', presenter: 'Presenter mode', leave: 'Leave presenter mode' },
	noSuch: (id: string): string => `There is no method “${id}”.`,
	back: 'All methods',
	inFamily: (name: string): string => `More of this family: ${name}`,
	about: (title: string): string => `About ${title}`,
	demo: 'Try it in the lab',
	demoAbout: (title: string): string => `A code stands in a story and is asked for at its end. ${title} runs with its defaults beside “sinks and recent tokens”, on your machine.`,
	demoAlone: 'A code stands in a story and is asked for at its end. The method runs with its defaults beside the full cache, on your machine.',
	formula: 'Formula',
	facts: {
		acts: 'When it acts', needs: 'What it asks of the model', bytes: 'What is stored', ours: 'What ours changes',
		failures: 'Where it fails', confidence: 'How sure we are', paper: 'Paper', sources: 'Sources', stacks: 'In wrappers'
	},
	scorer: 'It scores tokens, so any wrapper can take it as its inner method.',
	params: {
		title: 'Parameters', none: 'It has none.', name: 'Name', kind: 'Kind', range: 'Range', default: 'Default', about: 'What it does',
		kinds: { int: 'whole number', odd: 'odd whole number', number: 'number', choice: 'one of', boolean: 'yes or no', budget: 'budget', scorer: 'scoring method' },
		between: (min: number, max: number): string => `${min} to ${max}`,
		budget: 'share of the prompt, slots a head, or bytes',
		scorer: 'any method that scores tokens',
		yes: 'yes', no: 'no'
	},
	/** What the forward pass keeps for it. */
	needs: {
		nothing: 'Nothing beyond what the cache holds.',
		queriesLast: (n: number): string => `queries of the last ${plural(n, 'prompt token')}`,
		queriesAll: 'queries of all prompt tokens',
		attentionSums: 'how much attention each prompt token got',
		keysBefore: 'keys before rotation',
		queriesBefore: 'queries before rotation',
		stepAttention: 'attention of each step while writing',
		stepQuery: 'the query of each step while writing',
		nextLogits: 'what the model says next, after the prompt and at each step',
		weights: (names: readonly string[]): string => `weights of the model (${names.join(', ')})`,
		shipped: (names: readonly string[]): string => `statistics computed beforehand (${names.join(', ')})`,
		readings: (n: number): string => `${plural(n, 'second reading')} of a text`
	},
	source: {
		title: 'The code that runs', lines: (path: string, n: number): string => `${path}, ${plural(n, 'line')}`,
		label: (path: string): string => `Source of ${path}`
	}
};
