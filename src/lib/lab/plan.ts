/** What a run will do, worked out and checked before anything is computed. */
import type { Edit, Experiment } from '$lib/documents/experiment.ts';
import { DocumentError } from '$lib/documents/schema.ts';
import type { ModelShape } from '$lib/documents/trace.ts';
import type { Needs } from '$lib/methods/define.ts';
import type { CompleteSpec } from '$lib/methods/params.ts';
import { methods } from '$lib/methods/registry.ts';
import { joinNeeds, needsOf, readMethodSpec } from '$lib/methods/start.ts';
import type { ChatTemplate, Tokenizer } from '$lib/model/index.ts';
import { checkEdits } from './hand.ts';
import { readForced, readPrompt, type ReadPrompt } from './prompt.ts';
import { TokenTexts } from './token-texts.ts';

export interface ArmPlan {
	label: string;
	stack: CompleteSpec[];
	/** What the whole stack asks for. */
	needs: Needs;
	/** What a hand does to the arm. */
	edits?: readonly Edit[];
}

export interface Plan extends ReadPrompt {
	experiment: Experiment;
	/** Tokens that everybody takes; null when every row goes its own way. */
	forced: number[] | null;
	/** Steps that the run may take. */
	steps: number;
	arms: ArmPlan[];
	texts: TokenTexts;
	/** Length of the position axis: prompt and all tokens that may be appended. */
	span: number;
}

/** Throws DocumentError with the place in the document for anything that cannot be run. */
export function planRun(experiment: Experiment, model: ModelShape, tokenizer: Tokenizer, chat: ChatTemplate | null = null): Plan {
	const arms = experiment.arms.map(({ label, stack, edits = [] }, i): ArmPlan => {
		const complete = stack.map((spec, j) => readMethodSpec(spec, `arms[${i}].stack[${j}]`));
		return { label: label ?? labelOf(complete), stack: complete, needs: joinNeeds(complete.map(needsOf)), edits };
	});
	tellApart(arms);
	const texts = new TokenTexts(tokenizer);
	const read = readPrompt(experiment.prompt, texts, model.vocab, chat);
	const forced = experiment.forced === undefined ? null : readForced(experiment.forced, texts, model.vocab);
	const steps = forced?.length ?? experiment.generate.tokens;
	const n = read.prompt.ids.length;
	// The token of the last step is never read.
	const span = n + Math.max(0, steps - 1);
	if (n > model.context) {
		throw new DocumentError('prompt', `expected at most ${model.context} tokens, the context of ${model.name}, found ${n}`);
	}
	if (span > model.context) {
		const place = forced ? 'forced' : 'generate.tokens';
		throw new DocumentError(place, `expected at most ${model.context - n + 1} tokens after a prompt of ${n}, because ${model.name} reads ${model.context} in all, found ${steps}`);
	}
	arms.forEach(({ edits = [] }, i) => checkEdits(edits, model, n, `arms[${i}].edits`));
	return { ...read, experiment, forced, steps, arms, span, texts };
}

function labelOf(stack: CompleteSpec[]): string {
	return stack.map((spec) => methods.get(spec.method)?.title ?? spec.method).join(' + ') || 'Full cache';
}

/** Arms without a label of their own may have the same one. */
function tellApart(arms: ArmPlan[]): void {
	const seen = new Map<string, number>();
	for (const arm of arms) {
		const count = (seen.get(arm.label) ?? 0) + 1;
		seen.set(arm.label, count);
		if (count > 1) arm.label = `${arm.label} (${count})`;
	}
}
