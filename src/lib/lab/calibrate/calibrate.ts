/** What methods need shipped with a model, computed from the model and texts of our own tasks. */
import { ModelError, modelFingerprint } from '$lib/model/index.ts';
import type { Lab } from '../lab.ts';
import { readAtOnce } from '../prefill.ts';
import { TASK_NAMES } from '../tasks/index.ts';
import { KINDS } from './kinds.ts';
import { packShipped, type ShippedFile } from './shipped.ts';
import { CALIBRATION_TASKS, calibrationTexts } from './texts.ts';

export interface CalibrateOptions {
	/** Out of KINDS. */
	names: readonly string[];
	seeds: { first: number; count: number };
	onProgress?: (done: number, of: number) => void;
}

/** The files to lie beside the model. Each text is read once for all of them. Throws ModelError where the texts do not fit the model. */
export async function calibrate(lab: Lab, { names, seeds, onProgress }: CalibrateOptions): Promise<ShippedFile[]> {
	const { decoder, tokenizer } = lab.loaded;
	const wanted = names.map((name) => {
		const { tasks = TASK_NAMES, seeds: enough = Infinity } = KINDS[name];
		return { name, tasks, seeds: { first: seeds.first, count: Math.min(seeds.count, enough) } };
	});
	const most = { first: seeds.first, count: Math.max(...wanted.map((each) => each.seeds.count)) };
	const texts = calibrationTexts(tokenizer, most, TASK_NAMES.filter((task) => wanted.some(({ tasks }) => tasks.includes(task))));
	const longest = Math.max(...texts.map(({ ids }) => ids.length));
	if (longest > lab.model.context) throw new ModelError(`Calibration needs a model that reads ${longest} tokens; ${lab.model.name} reads ${lab.model.context}.`);
	const parts = wanted.map((each) => {
		const own = texts.filter(({ task, seed }) => each.tasks.includes(task) && seed < each.seeds.first + each.seeds.count);
		const tokens = own.reduce((sum, { ids }) => sum + ids.length, 0);
		return { ...each, own, tokens, gathering: KINDS[each.name].begin(lab.model, decoder.invFreq, tokens) };
	});
	for (const [done, text] of texts.entries()) {
		onProgress?.(done, texts.length);
		const captured = await readAtOnce(decoder, text.ids, { queries: 'all' });
		for (const { own, gathering } of parts) if (own.includes(text)) gathering.add(captured, text);
	}
	return parts.map(({ name, tasks, seeds, own, tokens, gathering }) => packShipped(name, modelFingerprint(decoder), KINDS[name].made, gathering.arrays(), {
		tasks: Object.fromEntries(tasks.map((task) => [task, CALIBRATION_TASKS[task]])), seeds, texts: own.length, tokens
	}));
}
