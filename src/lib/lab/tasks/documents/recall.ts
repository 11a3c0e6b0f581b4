/** Documents full of facts and of questions about them: where recall is learnt. */
import type { Random } from '$lib/numerics/random.ts';
import { ATTRIBUTES, FactBook, around, attribute, question, type Fact } from '../facts.ts';
import { WEIGHT, type Piece, type Writer } from '../pieces.ts';
import { tellStory } from '../story.ts';
import { CHAT, INTRODUCE, NOTED } from '../talk.ts';

/** How the facts of a document hang together. */
type Layout = 'mixed' | 'same' | 'topics';

interface Scene {
	rng: Random;
	out: Writer;
	book: FactBook;
	filler: () => string;
	chat: boolean;
	/** Where the value of a fact stands. */
	values: Map<Fact, Piece>;
}

/** Returns the piece that holds the value. */
function writeFact(out: Writer, rng: Random, fact: Fact): Piece {
	const [before, value, after] = around(rng.pick(fact.attribute.say), fact.subject, fact.value);
	out.sentence(before, WEIGHT.fact);
	const piece = out.add(value, fact.attribute.sort === 'code' ? WEIGHT.code : fact.attribute.sort === 'number' ? WEIGHT.number : WEIGHT.value);
	out.add(after, WEIGHT.fact);
	return piece;
}

function ask({ rng, out, chat, values }: Scene, fact: Fact): void {
	out.add(out.gap() === '' ? '' : '\n', WEIGHT.mark);
	out.add(chat ? 'User:' : 'Q:', WEIGHT.mark);
	out.add(` ${question(rng.pick(fact.attribute.ask), fact.subject)}`, WEIGHT.question);
	out.add(chat ? '\nBot:' : '\nA:', WEIGHT.mark);
	if (chat) {
		const [before, value, after] = around(fact.attribute.reply, fact.subject, fact.value);
		out.add(` ${before}`, WEIGHT.reply);
		out.add(value, WEIGHT.answer, values.get(fact));
		out.add(after, WEIGHT.reply);
	} else {
		out.add(` ${fact.value}`, WEIGHT.answer, values.get(fact));
		out.add('.', WEIGHT.reply);
	}
}

/** New facts of one layout, in the order in which they are told. */
function draw({ rng, book }: Scene, layout: Layout, count: number): Fact[] {
	if (layout === 'same') {
		const of = rng.chance(0.5) ? attribute('code') : rng.pick(ATTRIBUTES);
		const kind = of.of === 'both' ? (rng.chance(0.7) ? 'thing' : 'person') : of.of;
		// One noun for all of them (the red key, the blue key) is the hardest case.
		const noun = kind === 'thing' && rng.chance(0.25) ? book.noun() : undefined;
		return Array.from({ length: count }, () => book.add(book.subject(kind, noun), of));
	}
	const facts: Fact[] = [];
	while (facts.length < count) {
		const kind = rng.chance(0.6) ? 'person' : 'thing';
		const several = layout === 'topics' ? rng.int(2, kind === 'person' ? 5 : 4) : rng.pick([1, 1, 1, 2, 3]);
		facts.push(...book.about(book.subject(kind), kind, Math.min(several, count - facts.length)));
	}
	return layout === 'mixed' ? rng.shuffle(facts) : facts;
}

/** Facts and `filler` tokens of story around them, as running text. */
function tell(scene: Scene, facts: Fact[], filler: number, early: boolean): void {
	const { rng, out } = scene;
	const from = out.left;
	// Where each fact stands, as a share of the filler before it.
	const marks = facts.map(() => (early ? rng.uniform() * 0.15 : rng.uniform())).sort((a, b) => a - b);
	const block = !early && rng.chance(0.3);
	const start = rng.uniform();
	let spent = 0;
	facts.forEach((fact, i) => {
		while (spent < (block ? start : marks[i]) * filler) spent += write(scene);
		scene.values.set(fact, writeFact(out, rng, fact));
	});
	while (spent < filler && from - out.left < out.room) spent += write(scene);
}
function write({ out, filler }: Scene): number {
	const before = out.left;
	out.sentence(filler(), WEIGHT.filler);
	return before - out.left;
}

/** The same as a conversation: a turn tells one to three facts, small talk between. */
function converse(scene: Scene, facts: Fact[], filler: number, early: boolean, topics: boolean): void {
	const { rng, out } = scene;
	const marks = facts.map(() => (early ? rng.uniform() * 0.15 : rng.uniform())).sort((a, b) => a - b);
	let spent = 0;
	let subject = '';
	for (let i = 0; i < facts.length; ) {
		while (spent < marks[i] * filler) spent += smallTalk(scene);
		line(out, 'User:');
		if (topics && facts[i].subject !== subject && rng.chance(0.5)) {
			out.sentence(rng.pick(INTRODUCE).replace('{s}', facts[i].subject), WEIGHT.fact);
		}
		subject = facts[i].subject;
		const together = rng.pick([1, 1, 2, 3]);
		for (let k = 0; k < together && i < facts.length && (k === 0 || facts[i].subject === subject || !topics); k++, i++) {
			scene.values.set(facts[i], writeFact(out, rng, facts[i]));
		}
		line(out, 'Bot:');
		out.sentence(rng.pick(NOTED), WEIGHT.filler / 2);
	}
	while (spent < filler) spent += smallTalk(scene);
}
function line(out: Writer, who: string): void {
	out.add(out.gap() === '' ? '' : '\n', WEIGHT.mark);
	out.add(who, WEIGHT.mark);
}
function smallTalk({ rng, out, filler }: Scene): number {
	const before = out.left;
	const [user, bot] = rng.pick(CHAT);
	line(out, 'User:');
	if (rng.chance(0.4)) {
		// A piece of the story told in turns keeps long conversations from being all alike.
		out.sentence(filler(), WEIGHT.filler);
		line(out, 'Bot:');
		out.sentence(filler(), WEIGHT.filler);
	} else {
		out.sentence(user, WEIGHT.filler / 2);
		line(out, 'Bot:');
		out.sentence(bot, WEIGHT.filler / 2);
	}
	return before - out.left;
}

/** With `one`, every document is a block of facts of one attribute: only the subject tells which is asked for. */
export function recallDocument(rng: Random, out: Writer, one = false): void {
	const book = new FactBook(rng);
	const filler = tellStory(rng, book.strangers());
	// The filler starts anywhere in a story, so that its opening is not in every document.
	for (let skip = rng.int(0, 15); skip > 0; skip--) filler();
	const chat = rng.chance(one ? 0.2 : 0.42);
	const scene: Scene = { rng, out, book, filler, chat, values: new Map() };
	const room = out.room;
	const long = room >= 400;
	let layout: Layout = one ? 'same' : rng.pick(['same', 'mixed', 'mixed', chat ? 'topics' : 'same', 'topics', 'mixed']);
	// Far: facts at the start, almost a row of filler, questions at the end.
	const far = !one && rng.chance(long ? 0.35 : 0.15);
	// Codes are the hardest to keep over a distance.
	if (far && rng.chance(0.4)) layout = 'same';
	const dense = !far && rng.chance(one ? 0.75 : 0.5);
	let open: Fact[] = [];
	const known: Fact[] = [];
	let round = 0;
	while (out.left > 0) {
		const left = out.left;
		// An answered question needs about 22 tokens, a fact about 11.
		const perAnswer = chat ? 26 : 20;
		const perFact = chat ? 16 : 11;
		const most = Math.max(1, Math.floor(left / (perAnswer + perFact)));
		let count = Math.min(most, far ? rng.int(2, 9) : dense ? rng.int(1, 14) : rng.int(1, long ? 20 : 6));
		if (layout === 'topics' && long) count = Math.min(most, rng.int(6, 24));
		if (layout === 'same') count = Math.min(most, Math.max(2, rng.int(3, long ? 14 : 6)));
		const free = Math.max(0, left - count * (perAnswer + perFact));
		let share = far ? 0.6 + rng.uniform() * 0.38 : dense ? rng.uniform() * 0.3 : rng.uniform() * 0.9;
		if (round > 0 && left < 60) share = 0;
		const amount = Math.floor(free * share);
		const facts = draw(scene, layout, count);
		if (round > 0 && !chat) out.add('\n', WEIGHT.mark);
		if (chat) converse(scene, facts, amount, far, layout === 'topics');
		else tell(scene, facts, amount, far);
		open.push(...rng.shuffle(facts));
		known.push(...facts);
		// Now and then a question waits for a later round, or an old one comes again.
		const wait = rng.chance(0.4) ? rng.int(0, Math.floor(open.length / 2)) : 0;
		open = rng.shuffle(open);
		while (open.length > wait && out.left > 0) ask(scene, open.pop()!);
		if (rng.chance(0.3) && out.left > 0) ask(scene, rng.pick(known));
		round++;
	}
}
