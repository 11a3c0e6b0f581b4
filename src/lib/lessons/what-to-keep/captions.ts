/** The words on the lesson's pictures. */
import { percent, probability } from '$lib/ui/format.ts';
import { form, list, plural } from '$lib/ui/words/en/grammar.ts';

export const prompt = {
	caption: (tokens: number): string => `the prompt, ${tokens} tokens`,
	gap: (tokens: number): string => plural(tokens, 'token')
};

export const kept = {
	heading: (tokens: number): string => `What each policy kept of the ${tokens} tokens`,
	summary: (name: string, some: number, all: number, of: number): string => `${name}: ${some} of ${of} heads hold some of the code, ${all} all of it.`,
	code: 'the code',
	held: (some: number, of: number): string => `code in ${some} of ${of} heads`,
	caption: (heads: number): string => `Height: share of the ${heads} heads that hold the token after the cut`
};

export const looking = {
	heading: 'Which heads look at the code when the first digit is written',
	/** `readers`: heads with more than half of their attention on the code, under the full cache and under each policy. */
	readers: (readers: number, heads: number, policies: { name: string; readers: number }[]): string =>
		`With the full cache ${plural(readers, 'head')} of ${heads} ${form(readers, 'puts', 'put')} more than half of ${form(readers, 'its', 'their')} attention on the four digits. ` +
		`After the cuts: ${list(policies.map((p) => `${p.readers} under ${p.name}`))}.`,
	upTo: (most: number): string => `up to ${probability(most)}`,
	about: (name: string, most: number, above: number, heads: number): string =>
		`${name}: largest share of one head on the code ${percent(most)}; ${above} of ${heads} heads above 10 %`,
	layer: (layer: number): string => `L${layer}`,
	scale: 'share of a head on the code',
	caption: 'Rows: layers. Columns: query heads. Outlined: more than .100.'
};
