/** `matchBytes`: the setting at which an arm's bill after the prompt comes closest to a number of bytes. */
import type { ArmSpec, Experiment, MethodSpec, ParamValue } from '$lib/documents/experiment.ts';
import { TOLERANCE, type ByteMatch } from '$lib/documents/match.ts';
import { DocumentError } from '$lib/documents/schema.ts';
import type { Needs } from '$lib/methods/define.ts';
import type { CompleteSpec } from '$lib/methods/params.ts';
import { methods } from '$lib/methods/registry.ts';
import { sizeSettings, type SizeSettings } from '$lib/methods/size.ts';
import { joinNeeds, readMethodSpec } from '$lib/methods/start.ts';
import type { Lab } from './lab.ts';
import { nearest } from './nearest.ts';
import { planRun } from './plan.ts';
import { needsOfStack, PromptRead } from './prompt-read.ts';

/** A document whose arms have their sizes, and what was found for those that asked. */
export interface Matched {
	/** Without `matchBytes`. */
	experiment: Experiment;
	/** By arm; null for arms that did not ask. */
	matches: (ByteMatch | null)[];
}

/**
 * Sets the sizes of all arms that ask for the bytes of another. The prompt is read once; arms start from it and
 * nothing is written. Throws DocumentError for an arm without a size, one that does not exist, and circles.
 */
export async function resolveMatches(lab: Lab, experiment: Experiment, signal?: AbortSignal): Promise<Matched> {
	const matches: (ByteMatch | null)[] = experiment.arms.map(() => null);
	const order = orderOf(experiment.arms);
	if (order.length === 0) return { experiment, matches };
	const arms = experiment.arms.map(({ matchBytes: _, ...arm }) => arm);
	// Everything that can be said before the prompt is read is said now.
	const plan = planRun({ ...experiment, arms }, lab.model, lab.loaded.tokenizer, lab.loaded.chat);
	const stacks = plan.arms.map(({ stack }) => stack);
	const sizes = order.map((i) => sizesOf(stacks[i], plan.prompt.ids.length, i));
	const needs = joinNeeds([...stacks.map(needsOfStack), ...order.flatMap((i, at) => extremes(stacks[i], sizes[at]))]);
	const read = await PromptRead.read(lab, plan, needs);
	for (const [at, i] of order.entries()) {
		signal?.throwIfAborted();
		const target = experiment.arms[i].matchBytes!;
		const wanted = 'bytes' in target ? target.bytes : await bytesOf(read, stacks[target.arm], target.arm);
		const match = await matchBytes(read, stacks[i], wanted, i);
		matches[i] = match;
		stacks[i] = withParams(stacks[i], sizes[at].place, match.params);
		arms[i] = { ...arms[i], stack: arms[i].stack.map((spec, j) => (j === sizes[at].place ? { ...spec, params: { ...spec.params, ...match.params } } : spec)) };
	}
	return { experiment: { ...experiment, arms }, matches };
}

/**
 * The setting of an arm's size at which its bill after the prompt is closest to `wanted` bytes. `stack` is
 * complete; `index` is the arm's place in the document; `known` has the bytes of settings of this stack that were tried before.
 */
export async function matchBytes(read: PromptRead, stack: CompleteSpec[], wanted: number, index: number, known?: Map<number, number>): Promise<ByteMatch> {
	const sizes = sizesOf(stack, read.plan.prompt.ids.length, index);
	const cost = (i: number) => bytesOf(read, withParams(stack, sizes.place, sizes.at(i)), index);
	const { index: found, bytes, least, most } = await nearest(sizes.count, cost, wanted, known);
	const difference = (100 * (bytes - wanted)) / wanted;
	const outcome = Math.abs(difference) <= 100 * TOLERANCE ? 'matched' : least === most ? 'fixed' : wanted < least ? 'least' : wanted > most ? 'most' : 'coarse';
	return { wanted, bytes, difference, outcome, method: stack[sizes.place].method, params: sizes.at(found) as Record<string, ParamValue> };
}

async function bytesOf(read: PromptRead, stack: CompleteSpec[], index: number): Promise<number> {
	return (await read.start(stack, index)).cache.bill().total;
}

function sizesOf(stack: CompleteSpec[], promptTokens: number, index: number): SizeSettings {
	const sizes = sizeSettings(stack, methods, promptTokens);
	if (sizes && sizes.count > 0) return sizes;
	throw new DocumentError(`arms[${index}]`, 'expected an arm with a method whose size can be chosen (a budget, bits, a rank), to match bytes with');
}

/** What the least and the greatest setting ask of the forward pass. */
function extremes(stack: CompleteSpec[], sizes: SizeSettings): Needs[] {
	return [0, sizes.count - 1].map((i) => needsOfStack(withParams(stack, sizes.place, sizes.at(i))));
}

/** Checked again as a whole, since parameters may depend on each other. */
function withParams(stack: CompleteSpec[], place: number, params: Record<string, unknown>): CompleteSpec[] {
	return stack.map((spec, j) => (j === place ? readMethodSpec({ method: spec.method, params: { ...spec.params, ...params } } as MethodSpec, `stack[${j}]`) : spec));
}

/** Arms that ask, each after the one whose bytes it asks for. */
function orderOf(arms: readonly ArmSpec[]): number[] {
	const order: number[] = [];
	const visit = (i: number, from: readonly number[]) => {
		const target = arms[i].matchBytes;
		if (!target || order.includes(i)) return;
		if ('arm' in target) {
			const path = `arms[${i}].matchBytes.arm`;
			if (target.arm >= arms.length) throw new DocumentError(path, `expected the index of an arm, 0 to ${arms.length - 1}, found ${target.arm}`);
			if (target.arm === i || from.includes(target.arm)) throw new DocumentError(path, `expected an arm that does not wait for this one, found ${target.arm}`);
			visit(target.arm, [...from, i]);
		}
		order.push(i);
	};
	arms.forEach((_, i) => visit(i, []));
	return order;
}
