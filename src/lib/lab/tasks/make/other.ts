/** The tasks chain, copy and story. */
import type { Random } from '$lib/numerics/random.ts';
import { LETTERS, letSentence, makeChain, worked } from '../chain.ts';
import { ITEMS } from '../documents/drills.ts';
import { fillTo, padding, weave } from '../filling.ts';
import type { CountTokens } from '../pieces.ts';
import { tellStory } from '../story.ts';
import type { TaskInstance } from '../types.ts';
import { assemble, joined, targetLength, tooShort, type Part } from './prompt.ts';

type Options = Record<string, number | string | undefined>;

export function chainTask(rng: Random, o: Options, count: CountTokens): TaskInstance {
	const size = (text: string) => count(text) - count('');
	const steps = o.steps as number;
	const chain = makeChain(rng, rng.sample(LETTERS, steps + 1 + (o.extra as number)));
	const asking = `What is ${chain[steps].name}?`;
	const sentences = chain.map((step, i): Part[] => [{ text: `${letSentence(step).join('')}.`, needle: i <= steps }]);
	const build = (units: Part[][]) => assemble([...joined(units), { text: `\nQ: ${asking}\nA:` }]);
	const least = count(build(sentences).prompt);
	const spaced = (sentence: string) => size(` ${sentence}`);
	const marks = sentences.map(() => rng.uniform()).sort((a, b) => a - b);
	const place = (filler: readonly string[]) =>
		weave<Part[]>(filler.map((text) => [{ text }]), filler.map(spaced), sentences.map((unit, i) => ({ mark: marks[i], unit })));
	const filler = fillTo({
		target: targetLength('chain', o, least), measure: (units) => count(build(place(units)).prompt), size: spaced,
		next: tellStory(rng), close: (left) => padding(left, size, rng)
	});
	const answer = ` ${worked(chain, steps)}`;
	return { ...build(place(filler)), answer, question: asking, title: `Chain of ${steps}: ${asking}`, maxNewTokens: size(answer) + 8 };
}

export function copyTask(rng: Random, o: Options, count: CountTokens): TaskInstance {
	const make = ITEMS[o.kind as string];
	const items = Array.from({ length: o.count as number }, () => make(rng)).join(' ');
	const parts: Part[] = [{ text: 'Copy:' }, { text: ` ${items}`, needle: true }, { text: '\nCopy:' }];
	const answer = ` ${items}.`;
	return { ...assemble(parts), answer, title: `Copy ${o.count} ${o.kind}`, maxNewTokens: count(answer) + 4 };
}

export function storyTask(rng: Random, o: Options, count: CountTokens): TaskInstance {
	const next = tellStory(rng);
	let prompt = next();
	if (o.length === undefined) {
		// Who the story is about; what happens is left to the model.
		for (let more = 0; more < 2; more++) prompt += ` ${next()}`;
	} else {
		const length = o.length as number;
		let words: string[] = [];
		if (count(prompt) > length) throw tooShort('story', length, count(prompt));
		// The last sentence may be cut between two words, so that the length is met.
		for (;;) {
			if (words.length === 0) words = next().split(' ');
			const longer = `${prompt} ${words.shift()}`;
			if (count(longer) > length) break;
			prompt = longer;
		}
	}
	return { prompt, answer: '', needles: [], title: 'A story', maxNewTokens: 200 };
}
