/** How large a run will be, before it is made: rows of the batch and tokens of context. */
import type { Experiment, PromptSpec } from '$lib/documents/experiment.ts';

/** Letters of English that a token stands for, at least: a careful guess for tokenizers of small vocabularies. */
const LETTERS_A_TOKEN = 3;
/** Tokens of a task that names no length. */
const TASK_TOKENS = 512;

export interface RunSize {
	rows: number;
	context: number;
}

export function sizeOf({ prompt, generate, arms, forced }: Experiment, counted: number | null): RunSize {
	// Free generation feeds every arm's own words to a full cache of its own.
	return { rows: 1 + arms.length * (forced ? 1 : 2), context: (counted ?? tokensOf(prompt)) + generate.tokens };
}

function tokensOf(prompt: PromptSpec): number {
	const ofLetters = (text: string) => Math.ceil(text.length / LETTERS_A_TOKEN);
	if ('tokens' in prompt && Array.isArray(prompt.tokens)) return prompt.tokens.length;
	if ('chat' in prompt && Array.isArray(prompt.chat)) return ofLetters(prompt.chat.map(({ content }) => content).join('\n'));
	if ('text' in prompt && typeof prompt.text === 'string') return ofLetters(prompt.text);
	return 'length' in prompt && typeof prompt.length === 'number' ? prompt.length : TASK_TOKENS;
}
