/** The words of the lesson. Numbers in them are read from the trace, never written down. */
import type { Trace } from '$lib/documents/trace.ts';
import { bytes, percent } from '$lib/ui/format.ts';
import type { Part } from '$lib/ui/parts.ts';
import { list, plural } from '$lib/ui/words/en/grammar.ts';
import type { Guess, Measured, Outcome, Paragraph } from '../lesson.ts';
import { holders, needle, slots } from './reading.ts';
import opening from './opening.json' with { type: 'json' };

export const RECENT = 0;
export const HEAVY = 1;
export const ASKED = 2;
export const NAMES = ['Sinks and recent', 'Heavy hitters', 'SnapKV'];
export const RULES = [
	'keeps the first four tokens and the newest ones',
	'keeps what the text has looked at most so far, and the newest tokens',
	'keeps what the last tokens of the prompt look at, and those tokens'
];

const strong = (text: string): Part => ({ strong: text });
const wrote = (m: Measured) => m.pieces.map((piece) => piece.text).join('');
const of4 = (m: { value: number; pieces: unknown[] }) => `${m.value} of ${m.pieces.length}`;

export const predict: Paragraph[] = [
	['A story of ', strong(`${opening.tokens} tokens`), ' hides one sentence with a secret code. At the very end somebody asks for the code.'],
	['The cache is too large, so three quarters of it must go before the model answers. Three policies may each keep the same number of bytes.'],
	['How many of the four digits will the model still write right under each of them? ', strong('Place one disc for each policy.')]
];

export const commit: Paragraph[] = [
	['Your discs are placed. When you commit, the model reads the story once, each policy makes its cut, and the model writes its answer four times over: from the full cache and from each of the three.'],
	['Nothing has been measured so far, and the discs stay where you left them.']
];

/** The widest miss first, then what it was right about. */
export function verdict(guess: Guess, { arms }: Outcome): Paragraph {
	const gaps = arms.flatMap((m, i) => (guess[i] === null ? [] : [{ i, gap: guess[i]! - m.value }]));
	if (gaps.length === 0) return best(arms);
	const miss = [...gaps].sort((a, b) => Math.abs(b.gap) - Math.abs(a.gap))[0];
	if (miss.gap === 0) return ['Every disc is where the measurement landed. ', ...best(arms)];
	const m = arms[miss.i];
	const hit = gaps.filter((g) => g.gap === 0).map((g) => NAMES[g.i]);
	return [
		'You gave ', strong(NAMES[miss.i]), ` ${guess[miss.i]} of ${m.pieces.length} digits. `,
		miss.gap > 0 ? 'It writes ' : 'It still writes ', strong(wrote(m)), `: ${of4(m)}. `,
		...(hit.length ? [`You were exactly right about ${list(hit)}.`] : [])
	];
}

function best(arms: Measured[]): Paragraph {
	const most = Math.max(...arms.map((m) => m.value));
	const names = arms.flatMap((m, i) => (m.value === most ? [NAMES[i]] : []));
	return [strong(list(names)), ` ${names.length === 1 ? 'has' : 'have'} ${most} of ${arms[0].pieces.length} digits right, more than any other.`];
}

export function reveal(trace: Trace, { reference }: Outcome): Paragraph[] {
	const bills = trace.arms.map((arm) => arm.billAfterPrompt.total);
	const least = Math.min(...bills);
	const most = Math.max(...bills);
	const full = trace.arms[0].billAfterPrompt.total * trace.arms[0].billAfterPrompt.ratio;
	return [
		[
			'All three keep the same bytes: ', strong(most - least < 0.01 * most ? bytes(most) : `${bytes(least)} to ${bytes(most)}`),
			` of ${bytes(full)}, ${percent(most / full)} of the full cache. With all of it the model writes `, strong(wrote(reference)), `, ${of4(reference)}.`
		],
		['So it was not a matter of how much was kept.']
	];
}

const heads = ({ all, some, of }: { all: number; some: number; of: number }) =>
	some === 0 ? `none of ${of} heads holds any of it` : all === some ? `${all} of ${of} heads hold all of it` : `${all} of ${of} heads hold all of it, and ${some} at least one digit`;

/** The last paragraph draws its lesson only from what was measured. */
export function point(_trace: Trace, { arms, reference }: Outcome): Paragraph {
	if (reference.value < reference.pieces.length) {
		return ['Even from the full cache the model has only ', strong(of4(reference)), ' digits right. It does not recall this code by itself, so no policy can be blamed; take another seed in the lab.'];
	}
	const known = arms.flatMap((m, i) => (m.value === m.pieces.length ? [i] : []));
	const lost = arms.flatMap((m, i) => (m.value < m.pieces.length ? [NAMES[i]] : []));
	if (known.length === 1 && known[0] === ASKED) {
		return ['The same bytes, and only the policy that ', strong('looked at the question'), ' first kept its answer. A policy can keep what matters only if it knows what will be asked.'];
	}
	if (known.length === 0) return ['None of the three has the whole code at this number of bytes. ', ...(Math.max(...arms.map((m) => m.value)) > 0 ? best(arms) : ['None has a single digit.'])];
	if (lost.length === 0) return ['Here all three still know the code. Give them fewer bytes, or another story, and see which one loses it first.'];
	return [strong(list(known.map((i) => NAMES[i]))), ` still ${known.length === 1 ? 'knows' : 'know'} the code at the same bytes at which ${list(lost)} ${lost.length === 1 ? 'does' : 'do'} not: what counts is how the policy chooses.`];
}

export function explain(trace: Trace, result: Outcome): Paragraph[] {
	const { arms } = result;
	const [from, to] = needle(trace);
	const n = trace.prompt.ids.length;
	const [recent, heavy, asked] = [RECENT, HEAVY, ASKED].map((i) => holders(trace, trace.arms[i]));
	const kept = slots(trace.arms[RECENT]).most;
	const newest = n - (kept - 4);
	return [
		['The code stands at positions ', strong(`${from} to ${to - 1}`), ` of ${n}.`],
		[strong(NAMES[RECENT]), ` keeps ${kept} slots a head: the first four and the newest ${kept - 4}. The newest begin at position ${newest}, ${to <= newest ? `${plural(newest - to, 'token')} after the code` : 'before the code ends'}: ${heads(recent)}. It writes ${of4(arms[RECENT])}.`],
		[strong(NAMES[HEAVY]), ` adds up the attention that each token got while the whole story was read. Hardly any of that reading had to do with the code: ${heads(heavy)}. It writes ${of4(arms[HEAVY])}.`],
		[strong(NAMES[ASKED]), ` asks only what the last tokens look at, and the last tokens are the question: ${heads(asked)}. It writes ${of4(arms[ASKED])}.`],
		point(trace, result),
		['SnapKV could look at the question because it stands at the end of the prompt. What if it comes later?']
	];
}

export function hands(counts: readonly number[], result: Outcome | null): Paragraph {
	if (!result) return [strong('Hands up.'), ' Which policy still knows the code? Click a column once a hand, then press the right arrow.'];
	const total = counts.reduce((a, b) => a + b, 0);
	const top = counts.indexOf(Math.max(...counts));
	const m = result.arms[top];
	if (total === 0) return best(result.arms);
	return [strong(plural(counts[top], 'hand')), ` for ${NAMES[top]}. It writes `, strong(wrote(m)), `, ${of4(m)} digits right. `, ...(m.value === Math.max(...result.arms.map((a) => a.value)) ? [] : best(result.arms))];
}

export const play: Paragraph[] = [
	['Open the same experiment in the lab and change one thing:'],
	['Give the policies more bytes until the first of them that failed finds the code. How many does it need?'],
	['Write a sentence after the question, longer than SnapKV’s window. What do the last tokens look at now?']
];
