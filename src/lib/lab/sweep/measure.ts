/**
 * One text of a sweep. It is read once; the full cache answers greedily; every arm starts from the read prompt and is
 * fed the full cache's answer, a batch of arms at a time. An arm whose most likely token is the answer's at every
 * step would have written that answer, so it is scored without being run again; the others write freely.
 */
import type { ArmCache } from '$lib/cache/arm-cache.ts';
import { fullCacheBytes } from '$lib/cache/bill.ts';
import { parseExperiment } from '$lib/documents/schema.ts';
import { joinNeeds } from '$lib/methods/start.ts';
import { argmax } from '$lib/numerics/select.ts';
import type { Lab } from '../lab.ts';
import { Distribution } from '../metrics.ts';
import { planRun } from '../plan.ts';
import { needsOfStack, PromptRead, type StartedArm } from '../prompt-read.ts';
import { answerIsOver, scoreAnswer, type TaskInstance } from '../tasks/index.ts';
import { whyNot, type Cell } from './cells.ts';
import { decodeRows } from './decode.ts';

export interface TextSpec {
	task: string;
	seed: number;
	options: Record<string, string | number | boolean>;
	/** Steps at most; a task with an answer ends with it. */
	steps: number;
}

/** What came of one cell on one text. */
export interface CellResult {
	method: string;
	budget: number;
	stack: Cell['stack'];
	/** Why it could not be run; then nothing else is there. */
	problem?: string;
	/** Mean KL(full || arm) over the steps, nats. */
	kl?: number;
	/** Share of the steps with the same most likely token. */
	agree?: number;
	/** null where the task has no answer. */
	correct?: boolean | null;
	/** Bytes as a share of the full cache: after the prompt, and with the answer. */
	share?: number;
	shareEnd?: number;
}

export interface TextResult {
	task: string;
	seed: number;
	/** Tokens of the prompt, steps of the answer. */
	tokens: number;
	steps: number;
	/** Whether the full cache answers it. */
	full: boolean | null;
	cells: CellResult[];
}

export interface Answer {
	tokens: number[];
	says: Distribution[];
	correct: boolean | null;
}

/** Reads the text for all `cells`. */
export async function readText(lab: Lab, { task, seed, options, steps }: TextSpec, cells: readonly Pick<Cell, 'complete'>[]): Promise<PromptRead> {
	const document = { version: 1, model: lab.model.id, prompt: { task, seed, ...options }, generate: { tokens: steps }, arms: [] };
	const plan = planRun(parseExperiment(document, { unknown: 'error' }).experiment, lab.model, lab.loaded.tokenizer, lab.loaded.chat);
	return PromptRead.read(lab, plan, joinNeeds(cells.map(({ complete }) => needsOfStack(complete))));
}

/** What the full cache writes, up to the token that ends its answer. */
export async function fullAnswer(read: PromptRead, steps: number): Promise<Answer> {
	const says: Distribution[] = [];
	const { tokens: [tokens], texts: [text] } = await writeFreely(read, [read.reference()], steps, (logits) => says.push(new Distribution(logits)));
	return { tokens, says, correct: judge(read, text) };
}

/** Measures `cells` batch by batch; gives back each batch as soon as it is done. The signal ends it between steps. */
export async function* measureText(read: PromptRead, spec: TextSpec, answer: Answer, batches: readonly (readonly Cell[])[], signal?: AbortSignal): AsyncGenerator<TextResult> {
	const { tokens } = answer;
	read.future = tokens;
	for (const batch of batches) {
		signal?.throwIfAborted();
		const cells = await measureBatch(read, answer, batch, spec.steps, signal);
		yield { task: spec.task, seed: spec.seed, tokens: read.plan.prompt.ids.length, steps: tokens.length, full: answer.correct, cells };
	}
}

async function measureBatch(read: PromptRead, { tokens, says, correct }: Answer, batch: readonly Cell[], steps: number, signal?: AbortSignal): Promise<CellResult[]> {
	const { lab } = read;
	const { ids } = read.plan.prompt;
	const results: CellResult[] = batch.map(({ method, budget, stack }) => ({ method, budget, stack }));
	/** `spare`: the cache once more, where it can be forked; methods that act while the answer is written have to start again. */
	const started: (StartedArm & { at: number; spare: ArmCache | null })[] = [];
	for (const [at, { complete }] of batch.entries()) {
		try {
			const arm = await read.start(complete, 0);
			started.push({ ...arm, at, spare: correct === null || arm.arm.actsWhileWriting ? null : arm.cache.fork() });
		} catch (error) {
			results[at].problem = whyNot(error);
		}
	}
	for (const { at, cache } of started) results[at].share = cache.bill().total / fullCacheBytes(lab.model, ids.length);
	const kl = started.map(() => 0);
	const agreed = started.map(() => 0);
	await decodeRows(lab, ids, started, tokens.length, (row, step, logits) => {
		const own = new Distribution(logits);
		kl[row] += says[step].kl(own);
		agreed[row] += Number(argmax(logits) === tokens[step]);
		return tokens[step];
	}, signal);
	started.forEach(({ at, cache }, row) => Object.assign(results[at], {
		kl: kl[row] / tokens.length, agree: agreed[row] / tokens.length, correct, shareEnd: cache.bill().total / fullCacheBytes(lab.model, cache.tokens)
	}));
	if (correct === null) return results;
	const strayed = started.filter((_, row) => agreed[row] < tokens.length);
	const again: StartedArm[] = [];
	for (const { arm, at, spare } of strayed) again.push(spare ? { arm, cache: spare } : await read.start(batch[at].complete, 0));
	const { texts } = await writeFreely(read, again, steps, undefined, signal);
	strayed.forEach(({ at }, row) => (results[at].correct = judge(read, texts[row])));
	return results;
}

/** Greedy, until each row's answer is over. */
async function writeFreely(read: PromptRead, rows: StartedArm[], steps: number, onLogits?: (logits: Float32Array) => unknown, signal?: AbortSignal): Promise<{ tokens: number[][]; texts: string[] }> {
	const { lab, plan } = read;
	const tokens: number[][] = rows.map(() => []);
	const texts = rows.map(() => '');
	await decodeRows(lab, plan.prompt.ids, rows, steps, (row, _step, logits) => {
		onLogits?.(logits);
		const token = argmax(logits);
		tokens[row].push(token);
		texts[row] = plan.texts.plain(tokens[row]);
		return lab.loaded.ends.includes(token) || answerIsOver(plan.task as TaskInstance, texts[row]) ? null : token;
	}, signal);
	return { tokens, texts };
}

/** null where there is no right answer. */
function judge({ plan }: PromptRead, text: string): boolean | null {
	return plan.task?.answer.trim() ? scoreAnswer(plan.task, text).correct : null;
}
