import { DocumentError, parseExperiment } from '$lib/documents/schema.ts';
import { readPrompt } from '$lib/lab/prompt.ts';
import { TokenTexts } from '$lib/lab/token-texts.ts';
import { TASK_NAMES } from '$lib/lab/tasks/index.ts';
import { loadTokenizer } from '$lib/model/index.ts';
import { placeOfModel } from '$lib/lab/lab.ts';
import { plainValue, readArguments, UsageError } from './arguments.ts';
import { SITE } from './engine.ts';
import { modelIdOf } from './model.ts';

/** The prompt of a task as a run would read it, as text or JSON. */
export async function printTask(args: string[]): Promise<string> {
	const { words, options } = readArguments(args, ['json']);
	const [task] = words;
	if (task === undefined) throw new UsageError(`which task? There are ${TASK_NAMES.join(', ')}`);
	const model = modelIdOf(options.get('model') ?? 'nano');
	const spec = Object.fromEntries([...options].filter(([name]) => name !== 'model' && name !== 'json').map(([name, value]) => [name, plainValue(value)]));
	const { experiment } = parseExperiment({ version: 1, model, prompt: { task, seed: 0, ...spec }, arms: [] }, { unknown: 'error' });
	const tokenizer = await loadTokenizer(placeOfModel(model, SITE)).catch((error: Error) => {
		throw new DocumentError('model', error.message);
	});
	const { prompt, task: made } = readPrompt(experiment.prompt, new TokenTexts(tokenizer), tokenizer.size);
	if (options.has('json')) {
		return JSON.stringify({ prompt: made?.prompt, answer: made?.answer, question: prompt.question, title: prompt.title, needles: prompt.needles, tokens: prompt.ids });
	}
	return made?.prompt ?? '';
}
