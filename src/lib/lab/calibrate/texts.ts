/** The texts that a model is calibrated on: our own tasks with their answers. */
import type { Tokenizer } from '$lib/model/index.ts';
import { makeTask, TASK_NAMES, type TaskInstance, type TaskName } from '../tasks/index.ts';

/** As long as in the table of all methods. */
export const CALIBRATION_TASKS: Record<TaskName, Record<string, number>> = {
	needle: { length: 512 }, facts: { length: 400 }, chat: { length: 400 }, chain: { length: 300, steps: 2 }, copy: { count: 20 }, story: { length: 300 }
};
/** Seeds from here on are for calibration: experiments and tests take small ones, the table of all methods 7000 and more. */
export const CALIBRATION_SEED = 810_000;

export interface CalibrationText {
	task: TaskName;
	seed: number;
	/** Prompt and answer. */
	ids: Int32Array;
	/** Tokens of the prompt. */
	prompt: number;
}

/** The text of a task; without a length, as long as it has to be, where the tokenizer makes more tokens of it than that. */
function makeText(task: TaskName, seed: number, size: (text: string) => number): TaskInstance {
	const { length, ...options } = CALIBRATION_TASKS[task];
	const least = () => makeTask({ task, seed, ...options }, size);
	if (length === undefined) return least();
	try {
		return makeTask({ task, seed, length, ...options }, size);
	} catch (error) {
		if (error instanceof RangeError) return least();
		throw error;
	}
}

/** `count` texts of each of `tasks`, from the seeds first, first + 1, ... */
export function calibrationTexts(tokenizer: Tokenizer, { first, count }: { first: number; count: number }, tasks: readonly TaskName[] = TASK_NAMES): CalibrationText[] {
	const size = (text: string) => tokenizer.encode(text).length;
	return Array.from({ length: count }, (_, i) => first + i).flatMap((seed) => tasks.map((task) => {
		const made = makeText(task, seed, size);
		return { task, seed, ids: tokenizer.encode(made.prompt + made.answer), prompt: size(made.prompt) };
	}));
}
