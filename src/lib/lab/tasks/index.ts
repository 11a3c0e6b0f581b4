/** Texts with known answers, made from a seed: the same seed is the same text everywhere. */
import { random } from '$lib/numerics/random.ts';
import { chainTask, copyTask, storyTask } from './make/other.ts';
import { chatTask, factsTask, needleTask } from './make/recall.ts';
import { readOptions } from './options.ts';
import type { TaskInstance, TaskName, TaskSpec } from './types.ts';

export type { TaskInfo, TaskInstance, TaskName, TaskOption, TaskSpec } from './types.ts';
export { TASKS, TASK_NAMES } from './options.ts';
export { answerIsOver, scoreAnswer } from './score.ts';

const MAKERS = { needle: needleTask, facts: factsTask, chat: chatTask, chain: chainTask, copy: copyTask, story: storyTask };

/**
 * The text of a task. `countTokens` is the model's tokenizer: it decides how much text is `length`
 * tokens. Throws a RangeError that says in a sentence what is wrong with the specification.
 */
export function makeTask(spec: TaskSpec, countTokens: (text: string) => number): TaskInstance {
	const options = readOptions(spec);
	// The label keeps tasks apart from the rows that the model was trained on.
	return MAKERS[spec.task satisfies TaskName](random(`task/${spec.task}/${spec.seed}`), options, countTokens);
}
