import type { HeadType } from '$lib/documents/head-types.ts';
import { count, percent } from '../../format.ts';
import { form, list, plural } from './grammar.ts';

const names: Record<HeadType, string> = { sink: 'sink', local: 'local', retrieval: 'retrieval', mixed: 'mixed' };
const inHead = (layer: number, head: number): string => `layer ${layer}, query head ${head}`;
const InHead = (layer: number, head: number): string => `Layer ${layer}, query head ${head}`;
const present = (counts: Record<HeadType, number>): HeadType[] => (Object.keys(names) as HeadType[]).filter((type) => counts[type] > 0);
/** What stands for a share that was not measured. */
const none = '—';

export const headTypes = {
	what: 'where the heads of the reference run look',
	names,
	/** On a cell. */
	letters: { sink: 'S', local: 'L', retrieval: 'R', mixed: 'm' } satisfies Record<HeadType, string>,
	finding: (counts: Record<HeadType, number>, share: number, steps: number): string =>
		`${list(present(counts).map((type) => `${count(counts[type])} ${names[type]}`))} ${form(present(counts).length === 1 ? counts[present(counts)[0]] : 2, 'head', 'heads')} in the full cache’s own ${plural(steps, 'step')}: a type is the place that gets at least ${percent(share)} of a head’s attention.`,
	retrieval: (heads: string[]): string => `Retrieval: ${list(heads)}.`,
	short: (layer: number, head: number): string => `L${layer} h${head}`,
	group: (kvHead: number, short: boolean): string => `${short ? 'KV' : 'KV head'} ${kvHead}`,
	layer: (layer: number): string => `L${layer}`,
	grid: 'Query heads and their types',
	about: (layer: number, head: number, type: HeadType, first: number, last: number, copied: number | null): string =>
		`${inHead(layer, head)}: ${names[type]}; first tokens ${percent(first)}, last tokens ${percent(last)}, copied token ${copied === null ? 'not measured' : percent(copied)}`,
	cells: 'bars from left: first tokens, last tokens, copied token, 0 to 1; the line across is the threshold; the number is the largest of the three',
	chosen: (layer: number, head: number, type: HeadType): string => `${InHead(layer, head)}: ${names[type]}`,
	mass: (mass: number | null): string => (mass === null ? none : percent(mass, 1)),
	places: {
		first: (tokens: number): string => `on the first ${tokens} tokens`,
		last: (tokens: number): string => `on the last ${tokens} tokens, its own included`,
		copied: (copies: number): string => (copies === 0 ? 'on the token it copies: nothing was copied' : `on the token of the answer that it copies (${plural(copies, 'step')})`)
	},
	type: 'type', heads: 'heads', rule: 'measured, mean over the steps',
	rules: (share: number, first: number, last: number): Record<HeadType, string> => ({
		sink: `at least ${percent(share)} on the first ${first} tokens`,
		local: `at least ${percent(share)} on the last ${last} tokens that are not among the first`,
		retrieval: `at least ${percent(share)} on the tokens of the answer that are the word being written, where they are neither first nor last; in the steps that write one`,
		mixed: 'none of these'
	}),
	several: 'Where more than one holds, the largest counts.',
	noAnswer: 'This text holds no known answer that the full cache wrote, so no head can be seen to retrieve. Choose a task, such as the needle.',
	table: {
		caption: (steps: number, copies: number): string => `Where each query head of the full cache looks: means over ${plural(steps, 'step')}, copies over ${count(copies)}`,
		columns: (first: number, last: number): string[] => ['layer', 'query head', 'KV head', 'type', `first ${first} tokens`, `last ${last} tokens`, 'copied token']
	}
};
