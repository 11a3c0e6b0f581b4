/** The finding of "What changed" as a sentence, computed from the trace. Pure. */
import { stepsDone } from '$lib/documents/read.ts';
import type { Trace } from '$lib/documents/trace.ts';
import { list, plural, stepName, wordToken } from '$lib/ui/format.ts';
import { armLetter } from '$lib/ui/palettes.ts';
import { leaves, wordOf } from './geometry.ts';

/** A run of text; `strong` pieces are the ones to see. */
export interface Piece {
	text: string;
	strong?: boolean;
}

/** Arms that left the full cache's words, earliest first. */
export function departures(trace: Trace): { arm: number; step: number }[] {
	return trace.arms
		.map((arm, i) => ({ arm: i, step: leaves(trace, arm) }))
		.filter((d): d is { arm: number; step: number } => d.step !== null && d.step < trace.arms[d.arm].steps.length)
		.sort((a, b) => a.step - b.step || a.arm - b.arm);
}

/** "A writes 2 at step 3 where the full cache writes 9. D leaves at step 7, C has not left." */
export function finding(trace: Trace): Piece[] {
	const done = stepsDone(trace);
	if (done === 0) return [{ text: 'No word is written yet. Press Space to run.' }];
	if (trace.arms.length === 0) return [{ text: 'Only the full cache runs. Add an arm to compare it with.' }];
	const gone = departures(trace);
	if (gone.length === 0) {
		const who = trace.arms.length === 1 ? 'The arm writes' : 'Every arm writes';
		return [{ text: `${who} what the full cache writes, over ${plural(done, 'step')}.` }];
	}
	const [first, ...rest] = gone;
	const forced = trace.experiment.forced !== undefined;
	const says = wordToken(wordOf(trace, trace.arms[first.arm], first.step));
	const other = trace.reference.steps[first.step];
	const expected = forced ? trace.arms[first.arm].steps[first.step].fullTop[0]?.text : other?.text;
	const pieces: Piece[] = [
		{ text: armLetter(first.arm), strong: true }, { text: forced ? ' would write ' : ' writes ' }, { text: says, strong: true },
		{ text: ` at step ${stepName(first.step)}` },
		...(expected === undefined
			? [{ text: '; the full cache had stopped.' }]
			: [{ text: ' where the full cache writes ' }, { text: wordToken(expected), strong: true }, { text: '.' }])
	];
	const steps = [...new Set(rest.map((d) => d.step))];
	const parts = steps.map((step) => {
		const who = rest.filter((d) => d.step === step).map((d) => armLetter(d.arm));
		return `${list(who)} ${who.length === 1 ? 'leaves' : 'leave'} at step ${stepName(step)}`;
	});
	const stay = trace.arms.map((_, i) => i).filter((i) => !gone.some((d) => d.arm === i)).map(armLetter);
	if (stay.length) parts.push(`${list(stay)} ${stay.length === 1 ? 'has' : 'have'} not left`);
	if (parts.length) pieces.push({ text: ` ${parts.join(', ')}.` });
	return pieces;
}

export function plain(pieces: readonly Piece[]): string {
	return pieces.map((piece) => piece.text).join('');
}

/** The finding as a title to read from the last row of a room. */
export function headline(trace: Trace): string {
	const [first] = departures(trace);
	if (!first) return plain(finding(trace)).replace(/\.$/, '');
	const expected = trace.reference.steps[first.step]?.text;
	const says = wordToken(wordOf(trace, trace.arms[first.arm], first.step));
	return `At step ${stepName(first.step)}, ${armLetter(first.arm)} writes ${says}${expected === undefined ? '' : ` where full writes ${wordToken(expected)}`}`;
}
