import type { TaskInstance } from '../types.ts';

/** A stretch of a prompt; a needle holds (part of) the answer. */
export interface Part {
	text: string;
	needle?: boolean;
}

/** The text of parts and where its needles stand. */
export function assemble(parts: readonly Part[]): Pick<TaskInstance, 'prompt' | 'needles'> {
	let prompt = '';
	const needles: TaskInstance['needles'] = [];
	for (const { text, needle } of parts) {
		if (needle) {
			const lead = text.length - text.trimStart().length;
			needles.push({ text: text.trim(), start: prompt.length + lead, end: prompt.length + text.length });
		}
		prompt += text;
	}
	return { prompt, needles };
}

/** Sentences with spaces between them. */
export const joined = (sentences: readonly Part[][]): Part[] =>
	sentences.flatMap((parts, i) => (i === 0 ? parts : [{ ...parts[0], text: ` ${parts[0].text}` }, ...parts.slice(1)]));

export const tooShort = (task: string, length: number, least: number): RangeError =>
	new RangeError(`A length of ${length} tokens is too short: this ${task} task needs at least ${least}.`);

/** How many tokens the prompt shall have; without other text it has `least`. */
export function targetLength(task: string, options: Record<string, number | string | undefined>, least: number): number {
	const { filler = 0, length = least + (filler as number) } = options as { filler?: number; length?: number };
	if (length < least) throw tooShort(task, length, least);
	return length;
}
