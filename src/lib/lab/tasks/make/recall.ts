/** The tasks that ask for a fact: needle, facts, chat. */
import type { Random } from '$lib/numerics/random.ts';
import { ATTRIBUTES, FactBook, around, attribute, attributesOf, question, type Fact } from '../facts.ts';
import { fillTo, padding, weave } from '../filling.ts';
import type { CountTokens } from '../pieces.ts';
import { tellStory } from '../story.ts';
import { CHAT, INTRODUCE, NOTED } from '../talk.ts';
import type { TaskInstance } from '../types.ts';
import { assemble, joined, targetLength, type Part } from './prompt.ts';

type Options = Record<string, number | string | undefined>;

const told = (rng: Random, fact: Fact, asked: Fact): Part[] => {
	const [before, value, after] = around(rng.pick(fact.attribute.say), fact.subject, fact.value);
	return [{ text: before }, { text: value, needle: fact === asked }, { text: after }];
};
const drawFact = (rng: Random, book: FactBook): Fact => {
	const of = rng.pick(ATTRIBUTES);
	return book.add(book.subject(of.of === 'person' ? 'person' : 'thing'), of);
};

/** Facts in a story with `Q:` and `A:` at the end: `marks` says where each fact stands. */
function inStory(rng: Random, book: FactBook, facts: Fact[], asked: Fact, marks: number[], o: Options, count: CountTokens): TaskInstance {
	const size = (text: string) => count(text) - count('');
	const asking = question(rng.pick(asked.attribute.ask), asked.subject);
	const tail: Part[] = [{ text: `\nQ: ${asking}\nA:` }];
	const sentences = facts.map((fact) => told(rng, fact, asked));
	const build = (units: Part[][]) => assemble([...joined(units), ...tail]);
	const least = count(build(sentences).prompt);
	const spaced = (sentence: string) => size(` ${sentence}`);
	const place = (filler: readonly string[]) =>
		weave<Part[]>(filler.map((text) => [{ text }]), filler.map(spaced), sentences.map((unit, i) => ({ mark: marks[i], unit })));
	const filler = fillTo({
		target: targetLength('recall', o, least), measure: (units) => count(build(place(units)).prompt), size: spaced,
		next: tellStory(rng, book.strangers()), close: (left) => padding(left, size, rng)
	});
	return { ...build(place(filler)), answer: ` ${asked.value}.`, question: asking, title: '', maxNewTokens: 8 };
}

export function needleTask(rng: Random, o: Options, count: CountTokens): TaskInstance {
	const book = new FactBook(rng);
	const fact = o.kind === 'code' ? book.add(book.subject('thing'), attribute('code')) : drawFact(rng, book);
	const task = inStory(rng, book, [fact], fact, [o.depth as number], o, count);
	return { ...task, title: `Needle: ${task.question}` };
}

export function factsTask(rng: Random, o: Options, count: CountTokens): TaskInstance {
	const book = new FactBook(rng);
	const facts = Array.from({ length: o.count as number }, () =>
		o.kind === 'codes' ? book.add(book.subject('thing'), attribute('code')) : drawFact(rng, book)
	);
	const asked = pickAsked(rng, facts, o.ask as number | undefined, 'facts');
	// Spread over the text, or all together at one depth.
	const marks = facts.map(() => (o.depth as number) ?? rng.uniform()).sort((a, b) => a - b);
	const task = inStory(rng, book, facts, asked, marks, o, count);
	return { ...task, title: `${facts.length} ${o.kind === 'codes' ? 'codes' : 'facts'}: ${task.question}` };
}
function pickAsked<T>(rng: Random, items: T[], ask: number | undefined, what: string): T {
	if (ask === undefined) return rng.pick(items);
	if (ask > items.length) throw new RangeError(`"ask" is ${ask}, but there are only ${items.length} ${what}.`);
	return items[ask - 1];
}

const turn = (user: Part[], bot: string): Part[] => [{ text: 'User: ' }, ...user, { text: `\nBot: ${bot}\n` }];

export function chatTask(rng: Random, o: Options, count: CountTokens): TaskInstance {
	const size = (text: string) => count(text) - count('');
	const book = new FactBook(rng);
	const topics = Array.from({ length: o.topics as number }, () => {
		const kind = rng.chance(0.6) ? ('person' as const) : ('thing' as const);
		return book.about(book.subject(kind), kind, Math.min(o.count as number, attributesOf(kind).length));
	});
	const asked = rng.pick(pickAsked(rng, topics, o.ask as number | undefined, 'topics'));
	const asking = question(rng.pick(asked.attribute.ask), asked.subject);
	const turns: Part[][] = [];
	for (const facts of topics) {
		for (let i = 0; i < facts.length; ) {
			const said = facts.slice(i, i + rng.int(1, 3));
			const sentences = said.map((fact) => told(rng, fact, asked));
			if (i === 0 && rng.chance(0.5)) sentences.unshift([{ text: rng.pick(INTRODUCE).replace('{s}', facts[0].subject) }]);
			turns.push(turn(joined(sentences), rng.pick(NOTED)));
			i += said.length;
		}
	}
	const build = (units: Part[][]) => assemble([...units.flat(), { text: `User: ${asking}\nBot:` }]);
	const least = count(build(turns).prompt);
	let talk: (readonly [string, string])[] = [];
	const next = () => {
		if (talk.length === 0) talk = rng.shuffle(CHAT);
		const [user, bot] = talk.pop()!;
		return `User: ${user}\nBot: ${bot}\n`;
	};
	const padTurn = (pads: string[]) => `User: ${pads.join(' ')}\nBot: I see.\n`;
	const close = (left: number) => {
		const pads = padding(left - size(padTurn([''])), size, rng);
		return pads.length ? [padTurn(pads)] : [];
	};
	const target = targetLength('chat', o, least);
	const marks = turns.map(() => rng.uniform()).sort((a, b) => a - b);
	const place = (talk: readonly string[]) =>
		weave<Part[]>(talk.map((text) => [{ text }]), talk.map(size), turns.map((unit, i) => ({ mark: marks[i], unit })));
	const between = fillTo({ target, measure: (units) => count(build(place(units)).prompt), size, next, close });
	const reply = around(asked.attribute.reply, asked.subject, asked.value).join('');
	return {
		...build(place(between)), answer: ` ${reply}`, question: asking,
		title: `Conversation about ${topics.length} topics: ${asking}`, maxNewTokens: 24
	};
}
