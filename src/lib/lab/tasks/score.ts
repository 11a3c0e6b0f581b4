import type { TaskInstance } from './types.ts';

const escape = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
/** `text` as whole words, so that 47 is not found in 470. */
const has = (line: string, text: string) => new RegExp(`(?<![A-Za-z0-9])${escape(text)}(?![A-Za-z0-9])`).test(line);

/**
 * Judges a continuation. Only its first line counts: what follows is the model asking itself new
 * questions. A fact is right when its value is said, in whatever sentence; a chain when its result is.
 */
export function scoreAnswer(instance: TaskInstance, continuation: string): { correct: boolean; answer: string } {
	const answer = continuation.trimStart().split('\n')[0].trimEnd();
	const wanted = instance.answer.trim();
	if (!wanted) return { correct: true, answer: continuation.trim() };
	if (instance.prompt.startsWith('Copy:')) {
		const list = wanted.replace(/\.$/, '');
		return { correct: answer === list || answer.startsWith(`${list}.`), answer };
	}
	const result = /The answer is (\d+)\.$/.exec(wanted);
	if (result) return { correct: has(answer, `The answer is ${result[1]}`), answer };
	return { correct: has(answer, instance.needles[0].text), answer };
}

/** True when more text could not change the judgement: the first line is complete, or a copy has gone wrong. */
export function answerIsOver(instance: TaskInstance, continuation: string): boolean {
	if (!instance.answer.trim()) return false;
	const said = continuation.trimStart();
	if (said.includes('\n')) return true;
	if (!instance.prompt.startsWith('Copy:')) return false;
	const list = `${instance.answer.trim().replace(/\.$/, '')}.`;
	return !list.startsWith(said.trimEnd());
}
