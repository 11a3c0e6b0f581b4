/** Documents that teach the tools of recall: copying, random tokens, sums, chains. */
import { random, type Random } from '$lib/numerics/random.ts';
import { LETTERS, makeChain, sum, workedParts, type Part, type Step } from '../chain.ts';
import { WEIGHT, type Piece, type Writer } from '../pieces.ts';
import { tellStory } from '../story.ts';
import { COMMON_WORDS, PEOPLE } from '../world.ts';

/** Without vowels, so that no string spells a word. */
const SIGNS = [...'bcdfghjklmnpqrstvwxz0123456789'];
export const randomString = (rng: Random, length = 3): string =>
	Array.from({ length }, () => rng.pick(SIGNS)).join('');

/** The kinds of items that lists are made of. */
export const ITEMS: Record<string, (rng: Random) => string> = {
	words: (rng) => rng.pick(COMMON_WORDS),
	strings: (rng) => randomString(rng, rng.chance(0.7) ? 3 : 2),
	numbers: (rng) => String(rng.int(0, 99)),
	names: (rng) => rng.pick(PEOPLE)
};

export function copyDocument(rng: Random, out: Writer): void {
	while (out.left > 0) {
		const kind = rng.pick(['words', 'strings', 'strings', 'numbers', 'names']);
		// The copy needs as much room as the list: the longest list takes half of what is left.
		const most = Math.max(8, (out.left - 8) / 2);
		// No fixed length, or the copy would be learnt as a fixed distance.
		const room = rng.int(rng.chance(0.4) ? Math.ceil(most * 0.6) : 6, Math.ceil(most));
		out.add('Copy:', WEIGHT.mark);
		const before = out.left;
		const items: string[] = [];
		while (before - out.left < room - 4) {
			items.push(` ${ITEMS[kind](rng)}`);
			out.add(items[items.length - 1], WEIGHT.random);
		}
		out.add('\nCopy:', WEIGHT.mark);
		for (const item of items) out.add(item, WEIGHT.copied);
		out.add('.', WEIGHT.copied);
		out.add('\n', WEIGHT.mark);
	}
}

export function idsDocument(rng: Random, out: Writer, vocabulary: number): void {
	while (out.left > 0) {
		const most = Math.max(4, Math.floor(out.left / 2));
		const length = rng.int(Math.min(8, most), most);
		const draw = (count: number) => Array.from({ length: count }, () => rng.int(2, vocabulary - 1));
		const ids = draw(length);
		out.addIds(ids, WEIGHT.random);
		// Other tokens between, so that the distance to copy from says nothing.
		out.addIds(draw(rng.int(0, Math.max(0, Math.min(length, out.left - length)))), WEIGHT.random);
		// Where it starts again must be found; the first token cannot be foreseen.
		const from = rng.chance(0.5) ? 0 : rng.int(0, length - 1);
		out.addIds([ids[from]], WEIGHT.random);
		out.addIds(ids.slice(from + 1), WEIGHT.copied);
	}
}

/** A few hundred tokens, the same in every run: with a small pool, looking back for the last time is learnt first. */
const POOL_SIZE = 160;
let pool: { vocabulary: number; ids: number[] } | undefined;
function poolOf(vocabulary: number): number[] {
	if (pool?.vocabulary !== vocabulary) {
		const all = Array.from({ length: vocabulary - 2 }, (_, i) => i + 2);
		pool = { vocabulary, ids: random('echo pool').sample(all, POOL_SIZE) };
	}
	return pool.ids;
}

/**
 * Short runs of tokens that come back two to five times, from anywhere inside, with a few others
 * between. Almost every token asks for the same two steps: where did this one stand, what followed?
 */
export function echoDocument(rng: Random, out: Writer, vocabulary: number): void {
	const ids = poolOf(vocabulary);
	const draw = (count: number) => Array.from({ length: count }, () => rng.pick(ids));
	while (out.left > 0) {
		const run = draw(rng.int(3, 16));
		const times = rng.int(2, 5);
		for (let time = 0; time < times && out.left > 0; time++) {
			const from = time === 0 || rng.chance(0.6) ? 0 : rng.int(0, run.length - 1);
			out.addIds([...draw(rng.int(0, 3)), run[from]], WEIGHT.random);
			out.addIds(run.slice(from + 1), time > 0 ? WEIGHT.copied : WEIGHT.random);
		}
	}
}

function sums(rng: Random, out: Writer, until: number): void {
	out.add(`${out.gap()}Sums:`, WEIGHT.fact);
	while (out.left > until) {
		const small = rng.chance(0.6);
		const from = small ? rng.int(0, 50) : rng.int(0, 99);
		const operand = rng.chance(0.8) ? rng.int(1, 9) : rng.int(0, 40);
		const { sign, value } = sum(rng, from, operand);
		if (value > 99) continue;
		out.add(` ${from} ${sign} ${operand}`, WEIGHT.random);
		out.add(' =', WEIGHT.fact);
		out.add(` ${value}`, WEIGHT.answer);
		out.add('.', WEIGHT.fact);
	}
}
export const arithmeticDocument = (rng: Random, out: Writer): void => sums(rng, out, 0);

/** Says what a step is, and where its parts stand. */
function define(out: Writer, step: Step): Partial<Record<Part, Piece>> {
	const words = WEIGHT.random * 3;
	out.sentence('Let', words);
	const name = out.add(` ${step.name}`, words);
	out.add(' =', words);
	if (step.from !== undefined) out.add(` ${step.from}`, words);
	const sign = step.sign && out.add(` ${step.sign}`, words);
	const number = out.add(` ${step.operand ?? step.value}`, WEIGHT.code);
	out.add('.', WEIGHT.fact);
	return { name, sign, number };
}

export function chainDocument(rng: Random, out: Writer): void {
	const names = rng.shuffle(LETTERS);
	const filler = rng.chance(0.35) ? tellStory(rng) : null;
	// A letter means one thing in a document; when the letters are used up, sums fill the row.
	while (out.left > 0) {
		const steps = rng.pick([1, 2, 2, 3, 3, 4, 5]);
		const own = names.splice(0, Math.min(steps, out.room < 200 ? 4 : 6) + 1);
		if (own.length < 2) {
			sums(rng, out, 0);
			return;
		}
		const chain = makeChain(rng, own);
		const said = new Map<Step, Partial<Record<Part, Piece>>>();
		const between = filler ? rng.int(0, Math.min(6, Math.floor(out.left / 60))) : 0;
		const gaps = Array.from({ length: between }, () => rng.int(0, chain.length));
		chain.forEach((step, i) => {
			for (const gap of gaps) if (gap === i) out.sentence(filler!(), WEIGHT.filler);
			said.set(step, define(out, step));
		});
		for (const gap of gaps) if (gap === chain.length) out.sentence(filler!(), WEIGHT.filler);
		const last = chain.length - 1;
		const targets = rng.chance(0.5) ? [last] : rng.sample(chain.map((_, i) => i), Math.min(2, chain.length));
		for (const target of targets) {
			out.add('\nQ: What is', WEIGHT.question);
			out.add(` ${chain[target].name}`, WEIGHT.question);
			// Behind the name, not at it: a head that looks at a name says it once more.
			const asked = out.add('?', WEIGHT.question);
			out.add('\nA:', WEIGHT.mark);
			for (const { text, of, part, reached } of workedParts(chain, target)) {
				out.add(text, WEIGHT.answer, of && part && said.get(of)![part], reached ? asked : undefined);
			}
		}
		out.add('\n', WEIGHT.mark);
	}
}
