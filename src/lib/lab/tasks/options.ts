/** The tasks, their options, and the check that a task specification makes sense. */
import type { TaskInfo, TaskName, TaskOption, TaskSpec } from './types.ts';

const length = (preset?: number): TaskOption => ({
	name: 'length', type: 'int', default: preset, min: 8, max: 65536, about: 'tokens of the whole prompt'
});
const filler: TaskOption = {
	name: 'filler', type: 'int', min: 0, max: 65536, about: 'tokens of other text, instead of a length of the whole'
};
const depth: TaskOption = {
	name: 'depth', type: 'number', min: 0, max: 1, about: 'where the needle stands in the other text: 0 first, 1 last'
};

export const TASKS: Record<TaskName, TaskInfo> = {
	needle: {
		title: 'Needle',
		about: 'One fact somewhere in a story; the question about it comes at the end.',
		options: [
			length(512), { ...depth, default: 0.5 }, filler,
			{ name: 'kind', type: 'choice', default: 'code', choices: ['code', 'fact'], about: 'a code of four digits, or any fact' }
		]
	},
	facts: {
		title: 'Several facts',
		about: 'Several facts in a story; one of them is asked for.',
		options: [
			length(), depth, filler,
			{ name: 'count', type: 'int', default: 8, min: 1, max: 40, about: 'how many facts there are' },
			{
				name: 'kind', type: 'choice', default: 'mixed', choices: ['mixed', 'codes'],
				about: 'facts of many kinds, or a code for each of as many things'
			},
			{ name: 'ask', type: 'int', min: 1, max: 40, about: 'which fact is asked for, in the order of the text' }
		]
	},
	chat: {
		title: 'Conversation',
		about: 'A conversation about several people and things, with small talk between; the last question asks for one fact.',
		options: [
			length(), filler,
			{ name: 'topics', type: 'int', default: 4, min: 1, max: 12, about: 'how many people and things are talked about' },
			{ name: 'count', type: 'int', default: 4, min: 1, max: 5, about: 'facts about each of them' },
			{ name: 'ask', type: 'int', min: 1, max: 12, about: 'which topic the question is about' }
		]
	},
	chain: {
		title: 'Chain of sums',
		about: 'Each number is made from the one before; the answer works through the chain.',
		options: [
			length(), filler,
			{ name: 'steps', type: 'int', default: 3, min: 1, max: 12, about: 'sums up to the number that is asked for' },
			{ name: 'extra', type: 'int', default: 0, min: 0, max: 6, about: 'sums after it that the answer does not need' }
		]
	},
	copy: {
		title: 'Copy',
		about: 'A list to be copied word by word.',
		options: [
			{ name: 'count', type: 'int', default: 30, min: 1, max: 400, about: 'items in the list' },
			{
				name: 'kind', type: 'choice', default: 'strings', choices: ['strings', 'words', 'numbers', 'names'],
				about: 'what the list is made of'
			}
		]
	},
	story: {
		title: 'Story',
		about: 'The opening of a story, to be told on. It has no right answer.',
		options: [length()]
	}
};
export const TASK_NAMES = Object.keys(TASKS) as TaskName[];

/** The options of a specification, checked, with the presets filled in. */
export function readOptions(spec: TaskSpec): Record<string, number | string | undefined> {
	const info = Object.hasOwn(TASKS, spec.task) ? TASKS[spec.task] : undefined;
	if (!info) throw new RangeError(`There is no task "${String(spec.task)}"; the tasks are ${TASK_NAMES.join(', ')}.`);
	if (!Number.isInteger(spec.seed)) throw new RangeError(`The seed of a task must be a whole number, not ${String(spec.seed)}.`);
	for (const name of Object.keys(spec)) {
		if (name !== 'task' && name !== 'seed' && !info.options.some((option) => option.name === name)) {
			const names = info.options.map((option) => option.name).join(', ');
			throw new RangeError(`The task "${spec.task}" has no option "${name}"; it has ${names}.`);
		}
	}
	const values: Record<string, number | string | undefined> = {};
	for (const option of info.options) values[option.name] = readOption(option, spec[option.name]);
	if (spec.filler !== undefined && spec.length !== undefined) {
		throw new RangeError('Give either "length" or "filler", not both.');
	}
	if (spec.filler !== undefined) values.length = undefined;
	return values;
}

function readOption(option: TaskOption, value: unknown): number | string | undefined {
	if (value === undefined) return option.default;
	if (option.type === 'choice') {
		if (typeof value === 'string' && option.choices!.includes(value)) return value;
		throw new RangeError(`"${option.name}" must be one of ${option.choices!.join(', ')}, not ${String(value)}.`);
	}
	const { min = -Infinity, max = Infinity } = option;
	const fits = typeof value === 'number' && value >= min && value <= max && (option.type === 'number' || Number.isInteger(value));
	if (fits) return value;
	const kind = option.type === 'int' ? 'a whole number' : 'a number';
	throw new RangeError(`"${option.name}" must be ${kind} from ${min} to ${max}, not ${String(value)}.`);
}
