/** Conversations as the text that a model was trained on, by its own template (Jinja, as in Hugging Face). */
import { Environment, Interpreter, Template } from '@huggingface/jinja';
import { ModelError } from './error.ts';

export interface Message {
	/** `system`, `user`, `assistant`; a template may know more. */
	role: string;
	content: string;
}

export interface ChatOptions {
	/** Ends with the words that begin the model's answer. */
	addGenerationPrompt?: boolean;
}

/** Longest list that a template may count out: a file must not fill the memory. */
const LONGEST_RANGE = 10_000;

class Refusal extends Error {}

export class ChatTemplate {
	/** `text`: the template. `tokens`: what it may call `bos_token`, `eos_token`... */
	constructor(readonly text: string, private readonly tokens: Readonly<Record<string, string>> = {}) {}

	/**
	 * The conversation as text; its special tokens are found again by `Tokenizer.encode(text, { bare: true })`
	 * (bare, since a template writes the first token itself). The same messages always give the same text:
	 * templates see no clock. Throws ModelError.
	 */
	apply(messages: readonly Message[], { addGenerationPrompt = false }: ChatOptions = {}): string {
		try {
			const environment = new Environment();
			const known = { ...CONSTANTS, ...this.tokens, messages: messages.map(({ role, content }) => ({ role, content })), add_generation_prompt: addGenerationPrompt };
			for (const [name, value] of Object.entries(known)) environment.set(name, value);
			return String(new Interpreter(environment).run(new Template(this.text).parsed).value);
		} catch (cause) {
			const why = cause instanceof Error ? cause.message : String(cause);
			throw new ModelError(cause instanceof Refusal ? `The chat template of this model refuses these messages: ${why}`
				: `The chat template of this model cannot be used: ${why}. Write the prompt as plain text instead.`, { cause });
		}
	}
}

/** Throws ModelError, also when the model has no template. */
export function applyChat(template: ChatTemplate | null, messages: readonly Message[], options?: ChatOptions): string {
	if (template) return template.apply(messages, options);
	throw new ModelError('This model has no chat template: it continues texts and was not trained on conversations. Write the prompt as plain text instead.');
}

/**
 * The template of tokenizer_config.json, or that of chat_template.jinja, which newer files have
 * instead. null when there is neither.
 */
export function chatTemplateOf(config: Record<string, unknown>, file: string | null = null): ChatTemplate | null {
	const stated = config.chat_template;
	const named = Array.isArray(stated) ? stated.find((one: unknown) => (one as { name?: unknown } | null)?.name === 'default')?.template : stated;
	const text = file ?? named;
	if (typeof text !== 'string') return null;
	const tokens = Object.entries(config).flatMap(([name, token]): [string, string][] => {
		// A token is a text, or an object that holds it.
		const content = typeof token === 'object' && token !== null ? (token as { content?: unknown }).content : token;
		return /^\w+_token$/.test(name) && typeof content === 'string' ? [[name, content]] : [];
	});
	return new ChatTemplate(text, Object.fromEntries(tokens));
}

function range(first: number, end?: number, step = 1): number[] {
	const [from, to] = end === undefined ? [0, first] : [first, end];
	const length = Math.max(0, Math.ceil((to - from) / step));
	// Written so that NaN and a step of 0 fail, too.
	if (!(length <= LONGEST_RANGE)) throw new Error(`it counts out a range of ${length}`);
	return Array.from({ length }, (_, i) => from + i * step);
}

/** What templates may use. No `strftime_now`: a template that asks for the date falls back on one of its own. */
const CONSTANTS = {
	true: true, false: false, none: null, True: true, False: false, None: null, range,
	raise_exception(message: unknown) {
		throw new Refusal(String(message));
	}
};
