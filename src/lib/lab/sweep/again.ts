/** One cell of a sweep's table measured again on one text, by the same code that made the table. */
import type { MethodSpec } from '$lib/documents/experiment.ts';
import { DocumentError } from '$lib/documents/schema.ts';
import { readMethodSpec } from '$lib/methods/start.ts';
import { modelFingerprint } from '$lib/model/index.ts';
import type { Lab } from '../lab.ts';
import { fullAnswer, measureText, readText, type CellResult, type TextResult, type TextSpec } from './measure.ts';
import { SWEEP_TASKS } from './run.ts';

export interface CellAgain {
	task: string;
	options: TextSpec['options'];
	seed: number;
	stack: MethodSpec[];
}

export interface MeasuredAgain extends Pick<TextResult, 'tokens' | 'steps' | 'full'>, Required<Pick<CellResult, 'kl' | 'agree' | 'share' | 'shareEnd'>> {
	/** null where the task has no answer. */
	correct: boolean | null;
	/** What the full cache answers; the arm was fed it. */
	answer: number[];
	/** Of the model that measured it. */
	fingerprint: string;
}

/** Throws DocumentError for a task that no sweep has and for a stack that cannot be run. */
export async function measureAgain(lab: Lab, { task, options, seed, stack }: CellAgain, signal?: AbortSignal): Promise<MeasuredAgain> {
	const known = SWEEP_TASKS[task];
	if (!known) throw new DocumentError('task', `expected one of ${Object.keys(SWEEP_TASKS).join(', ')}, found ${task}`);
	const spec = { task, options, seed, steps: known.steps };
	const complete = stack.map((each, i) => readMethodSpec(each, `stack[${i}]`));
	const cell = { method: task, budget: 0, stack: stack.map(({ method, params = {} }) => ({ method, params })), complete };
	const read = await readText(lab, spec, [cell]);
	const answer = await fullAnswer(read, spec.steps);
	for await (const { tokens, steps, full, cells: [{ problem, kl, agree, share, shareEnd, correct = null }] } of measureText(read, spec, answer, [[cell]], signal)) {
		if (problem !== undefined) throw new DocumentError('stack', problem);
		return { tokens, steps, full, kl: kl!, agree: agree!, share: share!, shareEnd: shareEnd!, correct, answer: answer.tokens, fingerprint: modelFingerprint(lab.loaded.decoder) };
	}
	throw new Error('Nothing was measured.');
}
