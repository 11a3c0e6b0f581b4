/** The finding of "What changed" as a sentence, computed from the trace. Pure. */
import { stepsDone } from '$lib/documents/read.ts';
import type { Trace } from '$lib/documents/trace.ts';
import { wordToken } from '$lib/ui/format.ts';
import { armLetter } from '$lib/ui/palettes.ts';
import { plain, type Part } from '$lib/ui/parts.ts';
import { words } from '$lib/ui/words/index.ts';
import { leaves, wordOf } from './geometry.ts';

/** Arms that left the full cache's words, earliest first. */
export function departures(trace: Trace): { arm: number; step: number }[] {
	return trace.arms
		.map((arm, i) => ({ arm: i, step: leaves(trace, arm) }))
		.filter((d): d is { arm: number; step: number } => d.step !== null && d.step < trace.arms[d.arm].steps.length)
		.sort((a, b) => a.step - b.step || a.arm - b.arm);
}

/** What an arm writes at a step, and what the full cache writes there; undefined when it had stopped. */
function against(trace: Trace, arm: number, step: number): { says: string; expected: string | undefined } {
	const forced = trace.experiment.forced !== undefined;
	const expected = forced ? trace.arms[arm].steps[step].fullTop[0]?.text : trace.reference.steps[step]?.text;
	return { says: wordToken(wordOf(trace, trace.arms[arm], step)), expected: expected === undefined ? undefined : wordToken(expected) };
}

/** "A writes 2 at step 3 where the full cache writes 9. D leaves at step 7, C has not left." */
export function finding(trace: Trace): Part[] {
	const done = stepsDone(trace);
	if (done === 0) return [words.changed.nothingYet];
	if (trace.arms.length === 0) return [words.changed.onlyFull];
	const gone = departures(trace);
	if (gone.length === 0) return [words.changed.allSame(trace.arms.length, done)];
	const [first, ...rest] = gone;
	const { says, expected } = against(trace, first.arm, first.step);
	const parts = words.changed.first(armLetter(first.arm), says, first.step, expected, trace.experiment.forced !== undefined);
	const steps = [...new Set(rest.map((d) => d.step))];
	const others = words.changed.others(
		steps.map((step) => ({ step, letters: rest.filter((d) => d.step === step).map((d) => armLetter(d.arm)) })),
		trace.arms.map((_, i) => i).filter((i) => !gone.some((d) => d.arm === i)).map(armLetter)
	);
	return others ? [...parts, ` ${others}.`] : parts;
}

/** The finding as a title to read from the last row of a room. */
export function headline(trace: Trace): string {
	const [first] = departures(trace);
	if (!first) return plain(finding(trace)).replace(/\.$/, '');
	const { says } = against(trace, first.arm, first.step);
	const expected = trace.reference.steps[first.step]?.text;
	return words.changed.headline(first.step, armLetter(first.arm), says, expected === undefined ? undefined : wordToken(expected));
}
