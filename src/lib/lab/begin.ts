/** The first half of a run: the plan, the prompt, and its compression in every arm. */
import type { ArmCache } from '$lib/cache/arm-cache.ts';
import { fullCacheBytes } from '$lib/cache/bill.ts';
import { cellStates } from '$lib/cache/cells.ts';
import type { Captured } from '$lib/cache/device/index.ts';
import type { Experiment, MethodSpec } from '$lib/documents/experiment.ts';
import type { Trace } from '$lib/documents/trace.ts';
import type { Needs } from '$lib/methods/define.ts';
import { makeReadings } from '$lib/methods/make-readings.ts';
import type { PromptText } from '$lib/methods/requests.ts';
import { joinNeeds } from '$lib/methods/start.ts';
import { rotation } from '$lib/numerics/rope.ts';
import { Arm } from './arm.ts';
import { AttentionLog } from './attention-log.ts';
import { ExactNumbers } from './exact.ts';
import type { Lab } from './lab.ts';
import { resolveMatches } from './match.ts';
import { planRun, type Plan } from './plan.ts';
import { cacheOf, readAtOnce, readInBlocks } from './prefill.ts';
import { checkReadings, futureOf } from './second-readings.ts';
import type { ProbeSources } from './probes/index.ts';
import { supply } from './supplies.ts';

export interface RunOptions {
	/** Keeps what probes of attention need: costs memory and a read-back a step. */
	record?: boolean;
	signal?: AbortSignal;
}

/** All that the steps work on. */
export interface Parts {
	lab: Lab;
	plan: Plan;
	arms: Arm[];
	caches: ArmCache[];
	sources: ProbeSources;
	trace: Trace;
	record: boolean;
}

/** Plans, reads the prompt and lets every arm compress it. Throws DocumentError before anything is computed. */
export async function readPromptInAllArms(lab: Lab, experiment: Experiment, options: RunOptions): Promise<Parts> {
	const { decoder, tokenizer, chat } = lab.loaded;
	const { signal, record = false } = options;
	const { experiment: sized, matches } = await resolveMatches(lab, experiment, signal);
	const plan: Plan = { ...planRun(sized, lab.model, tokenizer, chat), experiment };
	const rope = rotation(decoder.invFreq);
	const text: PromptText = {
		ids: plan.prompt.ids, encode: (words) => Array.from(tokenizer.encode(words, { bare: true })), embedding: (id) => decoder.embedding(id)
	};
	const arms = plan.arms.map((arm, i) => new Arm(arm, lab.model, rope, text, experiment.generate.seed, `arms[${i}]`));
	const needs = joinNeeds(arms.map((arm) => arm.needs));
	checkReadings(arms.map(({ requests }) => requests), text.ids.length, lab.model);
	await supply(decoder, lab.model.name, lab.json, arms.map(({ requests }) => requests));
	signal?.throwIfAborted();

	const before = performance.now();
	const ids = Int32Array.from(plan.prompt.ids);
	const captured = await readAtOnce(decoder, ids, needs);
	const prefill = performance.now() - before;
	signal?.throwIfAborted();
	const prompt = cacheOf(captured, rope);
	const own = await compress(lab, plan, arms, needs, captured, prompt, signal);
	const reference = prompt.fork();
	const shadows = arms.map(() => (plan.forced ? reference : prompt.fork()));
	const caches = [reference, ...own.map(({ cache }) => cache), ...(plan.forced ? [] : shadows)];
	const sources: ProbeSources = {
		model: lab.model, rope, prompt, reference, arms: own.map(({ cache }) => cache), shadows,
		exact: own.map(({ exact }) => exact), log: new AttentionLog(lab.model, arms.length)
	};
	const trace = firstTrace(lab, plan, sources.arms, prefill);
	matches.forEach((match, i) => match && (trace.arms[i].matched = match));
	return { lab, plan, arms, caches, sources, trace, record };
}

/** Every arm's compressed cache, and what its numbers were before. */
async function compress(lab: Lab, plan: Plan, arms: Arm[], needs: Needs, captured: Captured, prompt: ArmCache, signal?: AbortSignal): Promise<{ cache: ArmCache; exact: ExactNumbers }[]> {
	const { block } = plan.experiment.prefill;
	const { decoder } = lab.loaded;
	const wanted = new Map(arms.flatMap(({ requests }) => [...requests.readings]));
	const future = [...wanted.values()].some(({ ids }) => ids === 'future') ? await futureOf(lab, plan) : [];
	if (block !== null && arms.length > 0) {
		const read = (arm: Arm, cache: ArmCache, last: boolean) =>
			makeReadings(decoder, cache, new Map([...arm.requests.readings].filter(([, { everyBlock }]) => last || everyBlock)), future, signal);
		const reads = await readInBlocks(decoder, Int32Array.from(plan.prompt.ids), { block, read }, arms, needs, prompt.rope, signal);
		return reads.map(({ cache, captured: own }) => ({ cache, exact: new ExactNumbers(cacheOf(own, prompt.rope), own.n) }));
	}
	const readings = await makeReadings(decoder, prompt, wanted, future, signal);
	return arms.map((arm) => {
		const cache = prompt.fork();
		arm.prefilled(cache, captured, readings);
		return { cache, exact: new ExactNumbers(prompt, captured.n) };
	});
}

function firstTrace(lab: Lab, plan: Plan, caches: ArmCache[], prefill: number): Trace {
	return {
		version: 1, provenance: 'measured', experiment: plan.experiment, engine: lab.engine, model: lab.model, prompt: plan.prompt,
		reference: { steps: [], text: '', bytes: fullCacheBytes(lab.model, plan.prompt.ids.length) },
		arms: caches.map((cache, i) => ({
			label: plan.arms[i].label, stack: plan.arms[i].stack as MethodSpec[], steps: [], text: '', span: plan.span,
			cells: cellStates(cache, plan.span), diffs: [], verbs: cache.takeRecords(), billAfterPrompt: cache.bill(),
			kept: cache.layers.map((layer) => layer.heads.map((_, head) => Array.from(layer.positions(head))))
		})),
		done: plan.steps === 0, timings: { load: lab.loadMs, prefill, perToken: 0 }
	};
}
