/** What the lab has to know of second readings before it makes them: that they fit, and what the future holds. */
import { DocumentError } from '$lib/documents/schema.ts';
import type { ModelShape } from '$lib/documents/trace.ts';
import type { Requests } from '$lib/methods/requests.ts';
import type { Lab } from './lab.ts';
import type { Plan } from './plan.ts';

/** Throws DocumentError for an arm whose readings do not fit behind a prompt of `n` tokens. */
export function checkReadings(arms: readonly Requests[], n: number, { context, name }: ModelShape): void {
	arms.forEach(({ readings }, i) => {
		for (const { ids, over } of readings.values()) {
			const all = ids === 'future' ? 0 : ids.length + (over === 'prompt' ? n : 0);
			if (all <= context) continue;
			throw new DocumentError(`arms[${i}]`, `expected at most ${context} tokens, the context of ${name}: the prompt has ${n}, and its method has ${(ids as readonly number[]).length} more read after it`);
		}
	});
}

/** What the run without compression writes: the forced tokens, or those of a run of its own; as many as fit the context. */
export async function futureOf(lab: Lab, { experiment, forced, prompt }: Plan): Promise<number[]> {
	const room = lab.model.context - prompt.ids.length;
	if (forced) return forced.slice(0, room);
	const run = await lab.start({ ...experiment, arms: [], report: [] });
	try {
		await run.advance();
		return run.trace.reference.steps.map(({ token }) => token).slice(0, room);
	} finally {
		run.dispose();
	}
}
