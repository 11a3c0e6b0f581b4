/**
 * The prompt as the reader sees it before anything runs: its beginning, the sentence with the code,
 * the question, and how many tokens lie between. Written into opening.json by
 * `npm run ts src/lib/lessons/what-to-keep/opening.ts`; a test compares.
 */
import type { Experiment } from '$lib/documents/experiment.ts';
import { parseExperiment } from '$lib/documents/schema.ts';
import { makeTask, type TaskSpec } from '$lib/lab/tasks/index.ts';
import type { Tokenizer } from '$lib/model/index.ts';
import experiment from './experiment.json' with { type: 'json' };

export interface Opening {
	tokens: number;
	/** First sentence. */
	begin: string;
	/** Tokens that are left out before and after the sentence with the code. */
	before: number;
	after: number;
	sentenceBefore: string;
	code: string;
	sentenceAfter: string;
	question: string;
}

export function makeOpening(document: Experiment, tokenizer: Tokenizer): Opening {
	if (!('task' in document.prompt)) throw new RangeError('the lesson needs a task with an answer');
	const task = makeTask(document.prompt as TaskSpec, (piece) => tokenizer.encode(piece).length);
	const text = task.prompt;
	const { start, end } = task.needles[0];
	const from = text.lastIndexOf('. ', start) + 2;
	const to = text.indexOf('.', end) + 1;
	const firstEnd = text.indexOf('. ') + 1;
	const lastStart = text.lastIndexOf('\nQ:') + 1;
	const tokens = (a: number, b: number) => tokenizer.encode(text.slice(a, b), { bare: true }).length;
	return {
		tokens: tokenizer.encode(text).length,
		begin: text.slice(0, firstEnd),
		before: tokens(firstEnd, from),
		sentenceBefore: text.slice(from, start),
		code: text.slice(start, end),
		sentenceAfter: text.slice(end, to),
		after: tokens(to, lastStart),
		question: text.slice(lastStart)
	};
}

/** Run from the project's root. */
export async function main(): Promise<void> {
	const { writeFile } = await import('node:fs/promises');
	const { loadTokenizer } = await import('$lib/model/index.ts');
	const tokenizer = await loadTokenizer('static/models/nano');
	const opening = makeOpening(parseExperiment(experiment, { unknown: 'error' }).experiment, tokenizer);
	await writeFile('src/lib/lessons/what-to-keep/opening.json', `${JSON.stringify(opening, null, '\t')}\n`);
}
