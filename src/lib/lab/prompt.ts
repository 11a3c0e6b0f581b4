/** From what a document says about the prompt to tokens, texts and the places of the answer. */
import type { ChatMessage, ForcedSpec, PromptSpec } from '$lib/documents/experiment.ts';
import { DocumentError } from '$lib/documents/schema.ts';
import type { PromptTrace } from '$lib/documents/trace.ts';
import { ModelError, type ChatTemplate, type Tokenizer } from '$lib/model/index.ts';
import type { TokenTexts } from './token-texts.ts';
import { makeTask, type TaskInstance, type TaskSpec } from './tasks/index.ts';

export interface ReadPrompt {
	prompt: PromptTrace;
	/** What the outcome is scored against. */
	task?: TaskInstance;
}

/** A conversation as the embedded model was taught it; the turn of the assistant is left open. */
export function chatText(messages: readonly ChatMessage[]): string {
	const names = { system: '', user: 'User: ', assistant: 'Bot: ' };
	return `${messages.map(({ role, content }) => `${names[role]}${content}\n`).join('')}Bot:`;
}

/** The prompt, ready to be read; a conversation by the model's template where it has one. Throws DocumentError below `prompt`. */
export function readPrompt(spec: PromptSpec, texts: TokenTexts, vocab: number, template: ChatTemplate | null = null): ReadPrompt {
	const { tokenizer } = texts;
	if ('task' in spec) {
		const task = instance(spec as TaskSpec, tokenizer);
		const ids = Array.from(tokenizer.encode(task.prompt));
		const parts = texts.all(ids);
		const { title, question, answer } = task;
		return {
			task,
			prompt: { ids, texts: parts, title, ...(question ? { question } : {}), ...(answer.trim() ? { answer: answer.trim() } : {}), needles: needleTokens(task, ids, parts, tokenizer) }
		};
	}
	const ids = 'tokens' in spec ? checkIds(spec.tokens, 'prompt.tokens', vocab)
		: Array.from('text' in spec ? tokenizer.encode(spec.text) : chatTokens(spec.chat, tokenizer, template));
	if (ids.length === 0) throw new DocumentError('prompt.text', 'expected a text of at least one token, found ""');
	return { prompt: { ids, texts: texts.all(ids), needles: [] } };
}

function chatTokens(messages: readonly ChatMessage[], tokenizer: Tokenizer, template: ChatTemplate | null): Int32Array {
	if (!template) return tokenizer.encode(chatText(messages));
	try {
		// A template writes the first token itself.
		return tokenizer.encode(template.apply(messages, { addGenerationPrompt: true }), { bare: true });
	} catch (error) {
		if (error instanceof ModelError) throw new DocumentError('prompt.chat', error.message);
		throw error;
	}
}

/** The tokens of `forced`. */
export function readForced(forced: ForcedSpec, { tokenizer }: TokenTexts, vocab: number): number[] {
	const ids = typeof forced === 'string' ? Array.from(tokenizer.encode(forced, { bare: true })) : checkIds(forced.tokens, 'forced.tokens', vocab);
	if (ids.length === 0) throw new DocumentError('forced', 'expected a text of at least one token');
	return ids;
}

function instance(spec: TaskSpec, tokenizer: Tokenizer): TaskInstance {
	try {
		return makeTask(spec, (text) => tokenizer.encode(text).length);
	} catch (error) {
		if (error instanceof RangeError) throw new DocumentError('prompt', error.message);
		throw error;
	}
}

function checkIds(ids: readonly number[], path: string, vocab: number): number[] {
	const wrong = ids.findIndex((id) => id >= vocab);
	if (wrong >= 0) throw new DocumentError(`${path}[${wrong}]`, `expected a token of the model, 0 to ${vocab - 1}, found ${ids[wrong]}`);
	return [...ids];
}

/** Token ranges [from, to) that overlap the character ranges of the needles. */
function needleTokens(task: TaskInstance, ids: number[], texts: string[], tokenizer: Tokenizer): [number, number][] {
	const starts: number[] = [];
	let at = 0;
	ids.forEach((id, i) => {
		starts.push(at);
		// Special tokens are not part of the task's text.
		if (!tokenizer.isSpecial(id)) at += texts[i].length;
	});
	return task.needles.map(({ start, end }) => {
		const inside = ids.map((id, i) => !tokenizer.isSpecial(id) && starts[i] < end && starts[i] + texts[i].length > start);
		return [inside.indexOf(true), inside.lastIndexOf(true) + 1];
	});
}
