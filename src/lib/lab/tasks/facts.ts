/**
 * Facts: a subject, an attribute and a value, with the ways to say them and to ask for them.
 * An answer has one form only (the bare value after `A:`, the sentence `reply` after `Bot:`):
 * two possible forms would leave the model guessing which one is meant.
 */
import type { Random } from '$lib/numerics/random.ts';
import {
	ANIMALS, BOYS, COLOURS, DAYS, DRINKS, FOODS, GIRLS, HOBBIES, INDOORS, INSTRUMENTS, JOBS, LOOKS, MATERIALS,
	MONTHS, OBJECTS, OUTDOORS, PEOPLE, PLANTS, SEASONS, TOWNS, TOYS, capital
} from './world.ts';

export interface Attribute {
	id: string;
	/** What has it. */
	of: 'person' | 'thing' | 'both';
	/** How hard the value is to foresee: decides the loss weight of its tokens. */
	sort: 'word' | 'number' | 'code';
	value(rng: Random): string;
	/** `{s}` is the subject, `{v}` the value; the value never stands first. */
	say: string[];
	ask: string[];
	reply: string;
}
export interface Fact {
	subject: string;
	attribute: Attribute;
	value: string;
}

const vowel = /^[aeiou]/;
const plain = (words: readonly string[]) => words.filter((word) => !vowel.test(word));
const PETS = plain(ANIMALS);
const TRADES = plain(JOBS);
const WISHES = plain([...TOYS, ...OBJECTS]);
const PLACES = [...INDOORS, ...OUTDOORS];
/** Looks that say nothing about the material, which may be a fact of its own. */
const THING_LOOKS = LOOKS.filter((look) => !MATERIALS.includes(look) && !/^(?:metal|wooden|woolen|velvet)$/.test(look));
const from = (words: readonly string[]) => (rng: Random) => rng.pick(words);
const number = (low: number, high: number) => (rng: Random) => String(rng.int(low, high));

/** Four digits; the first is never 0, so that a code is also a number. */
export const code = (rng: Random): string => String(rng.int(1000, 9999));

export const ATTRIBUTES: readonly Attribute[] = [
	{
		id: 'code', of: 'both', sort: 'code', value: code,
		say: [
			'The secret code of {s} is {v}.', 'The code of {s} is {v}.', '{s} has the code {v}.',
			'Remember that the code of {s} is {v}.', 'The secret number of {s} is {v}.'
		],
		ask: ['What is the code of {s}?', 'What is the secret code of {s}?', 'Which code does {s} have?'],
		reply: 'The code of {s} is {v}.'
	},
	{
		id: 'town', of: 'person', sort: 'word', value: from(TOWNS),
		say: ['{s} lives in {v}.', 'The home of {s} is in {v}.', 'The town of {s} is called {v}.'],
		ask: ['Where does {s} live?', 'In which town does {s} live?', 'What is the home town of {s}?'],
		reply: '{s} lives in {v}.'
	},
	{
		id: 'job', of: 'person', sort: 'word', value: from(TRADES),
		say: ['{s} works as a {v}.', '{s} has the job of a {v}.', 'Everyone knows that {s} is a {v}.'],
		ask: ['What is the job of {s}?', 'What does {s} work as?'],
		reply: '{s} works as a {v}.'
	},
	{
		id: 'food', of: 'person', sort: 'word', value: from(FOODS),
		say: [
			'The favourite food of {s} is {v}.', '{s} likes to eat {v} more than anything else.',
			'For dinner {s} always wants {v}.'
		],
		ask: ['What is the favourite food of {s}?', 'What does {s} like to eat?', 'Which food does {s} like best?'],
		reply: 'The favourite food of {s} is {v}.'
	},
	{
		id: 'drink', of: 'person', sort: 'word', value: from(DRINKS),
		say: ['{s} likes to drink {v}.', 'The favourite drink of {s} is {v}.', 'Every morning {s} drinks some {v}.'],
		ask: ['What does {s} like to drink?', 'What is the favourite drink of {s}?'],
		reply: '{s} likes to drink {v}.'
	},
	{
		id: 'colour', of: 'person', sort: 'word', value: from(COLOURS),
		say: ['The favourite colour of {s} is {v}.', 'The colour that {s} loves is {v}.', 'Of all colours {s} likes {v} best.'],
		ask: ['What is the favourite colour of {s}?', 'Which colour does {s} like best?'],
		reply: 'The favourite colour of {s} is {v}.'
	},
	{
		id: 'pet', of: 'person', sort: 'word', value: from(PETS),
		say: ['{s} has a pet {v}.', 'The pet of {s} is a {v}.', 'At home {s} keeps a {v}.'],
		ask: ['Which pet does {s} have?', 'What is the pet of {s}?', 'Which animal does {s} keep?'],
		reply: 'The pet of {s} is a {v}.'
	},
	{
		id: 'hobby', of: 'person', sort: 'word', value: from(HOBBIES),
		say: ['The hobby of {s} is {v}.', 'In the free time {s} enjoys {v}.', 'There is nothing that {s} likes more than {v}.'],
		ask: ['What is the hobby of {s}?', 'Which hobby does {s} have?'],
		reply: 'The hobby of {s} is {v}.'
	},
	{
		id: 'instrument', of: 'person', sort: 'word', value: from(INSTRUMENTS),
		say: ['{s} plays the {v}.', '{s} learned to play the {v}.', 'The instrument of {s} is the {v}.'],
		ask: ['Which instrument does {s} play?', 'What does {s} play?'],
		reply: '{s} plays the {v}.'
	},
	{
		id: 'visit', of: 'person', sort: 'word', value: from(DAYS),
		say: ['The visit of {s} is planned for {v}.', '{s} will come on {v}.', 'We will meet {s} on {v}.'],
		ask: ['When will {s} come?', 'On which day will {s} come?'],
		reply: '{s} will come on {v}.'
	},
	{
		id: 'birthday', of: 'person', sort: 'word', value: from(MONTHS),
		say: ['{s} was born in {v}.', 'The birthday of {s} is in {v}.', '{s} has a birthday party every {v}.'],
		ask: ['When is the birthday of {s}?', 'In which month is the birthday of {s}?'],
		reply: 'The birthday of {s} is in {v}.'
	},
	{
		id: 'season', of: 'person', sort: 'word', value: from(SEASONS),
		say: ['The favourite season of {s} is {v}.', '{s} loves the {v}.'],
		ask: ['What is the favourite season of {s}?', 'Which season does {s} like best?'],
		reply: 'The favourite season of {s} is {v}.'
	},
	{
		id: 'age', of: 'person', sort: 'number', value: number(4, 99),
		say: ['{s} is {v} years old.', 'The age of {s} is {v}.', 'This year {s} turned {v}.'],
		ask: ['How old is {s}?', 'What is the age of {s}?'],
		reply: '{s} is {v} years old.'
	},
	{
		id: 'house', of: 'person', sort: 'number', value: number(1, 99),
		say: ['The house number of {s} is {v}.', 'The house of {s} has the number {v}.', 'At the door of {s} stands the number {v}.'],
		ask: ['What is the house number of {s}?', 'Which number does the house of {s} have?'],
		reply: 'The house number of {s} is {v}.'
	},
	{
		id: 'wish', of: 'person', sort: 'word', value: from(WISHES),
		say: ['{s} wants to buy a {v}.', 'For the birthday {s} wishes for a {v}.', '{s} is saving money for a {v}.'],
		ask: ['What does {s} want to buy?', 'What does {s} wish for?'],
		reply: '{s} wants to buy a {v}.'
	},
	{
		id: 'plant', of: 'person', sort: 'word', value: from(plain(PLANTS)),
		say: ['In the garden of {s} grows a {v}.', '{s} planted a {v}.', 'The favourite plant of {s} is the {v}.'],
		ask: ['Which plant grows in the garden of {s}?', 'Which plant does {s} have?'],
		reply: 'The plant of {s} is the {v}.'
	},
	{
		id: 'place', of: 'thing', sort: 'word', value: from(PLACES),
		say: ['{s} is in the {v}.', '{s} was left in the {v}.', 'You can find {s} in the {v}.', 'Someone put {s} in the {v}.'],
		ask: ['Where is {s}?', 'Where can I find {s}?', 'In which place is {s}?'],
		reply: '{s} is in the {v}.'
	},
	{
		id: 'price', of: 'thing', sort: 'number', value: number(2, 99),
		say: ['{s} costs {v} coins.', 'The price of {s} is {v} coins.', 'You can buy {s} for {v} coins.'],
		ask: ['How many coins does {s} cost?', 'What is the price of {s}?', 'How much does {s} cost?'],
		reply: '{s} costs {v} coins.'
	},
	{
		id: 'weight', of: 'thing', sort: 'number', value: number(1, 99),
		say: ['{s} weighs {v} kilos.', 'The weight of {s} is {v} kilos.'],
		ask: ['How many kilos does {s} weigh?', 'What is the weight of {s}?'],
		reply: '{s} weighs {v} kilos.'
	},
	{
		id: 'owner', of: 'thing', sort: 'word', value: from(PEOPLE),
		say: ['{s} belongs to {v}.', 'The owner of {s} is {v}.', 'Everyone knows that {s} belongs to {v}.'],
		ask: ['Who is the owner of {s}?', 'To whom does {s} belong?', 'Who owns {s}?'],
		reply: '{s} belongs to {v}.'
	},
	{
		id: 'material', of: 'thing', sort: 'word', value: from(MATERIALS),
		say: ['{s} is made of {v}.', 'Someone made {s} out of {v}.'],
		ask: ['What is {s} made of?', 'Out of what is {s} made?'],
		reply: '{s} is made of {v}.'
	}
];
export const attribute = (id: string): Attribute => ATTRIBUTES.find((a) => a.id === id)!;
export const attributesOf = (kind: 'person' | 'thing'): Attribute[] =>
	ATTRIBUTES.filter((a) => a.of === kind || a.of === 'both');

/** The parts of a sentence around its value; the value keeps the space before it. */
export function around(template: string, subject: string, value: string): [string, string, string] {
	const [before, after] = template.split('{v}');
	return [capital(before.replace('{s}', subject)).trimEnd(), ` ${value}`, after.replace('{s}', subject)];
}
export const question = (template: string, subject: string): string => capital(template.replace('{s}', subject));

/** Draws subjects and facts for one document so that no two of them can contradict each other. */
export class FactBook {
	readonly facts: Fact[] = [];
	private readonly people: string[];
	private nouns: string[];
	private readonly taken = new Set<string>();

	constructor(private readonly rng: Random) {
		this.people = rng.shuffle([...GIRLS, ...BOYS]);
		this.nouns = rng.shuffle([...TOYS, ...OBJECTS]);
	}
	/** A subject that no fact is about yet. A noun is used once, unless `noun` asks for a family of one noun. */
	subject(kind: 'person' | 'thing', noun?: string): string {
		if (kind === 'person') return this.people.pop()!;
		const name = noun ?? this.nouns.pop()!;
		for (;;) {
			const subject = `the ${this.rng.pick(this.rng.chance(0.6) ? COLOURS : THING_LOOKS)} ${name}`;
			if (this.taken.has(subject)) continue;
			this.taken.add(subject);
			return subject;
		}
	}
	noun(): string {
		return this.nouns.pop()!;
	}
	/** People and things for the filler: names and nouns that no fact here is about. */
	strangers(): { people: [string, string]; things: string[] } {
		const toys = this.nouns.filter((noun) => TOYS.includes(noun)).slice(0, 12);
		this.nouns = this.nouns.filter((noun) => !toys.includes(noun));
		return { people: [this.people.pop()!, this.people.pop()!], things: toys };
	}
	/** A fact whose value no other subject shares, as far as there are values enough. */
	add(subject: string, of: Attribute): Fact {
		let value = of.value(this.rng);
		for (let tries = 0; tries < 20; tries++) {
			const shared = this.facts.some((f) => f.attribute === of && f.value === value);
			if (!shared && value !== subject && !(of.id === 'owner' && !this.people.includes(value))) break;
			value = of.value(this.rng);
		}
		const fact = { subject, attribute: of, value };
		this.facts.push(fact);
		return fact;
	}
	/** Facts about one subject, each of another attribute. */
	about(subject: string, kind: 'person' | 'thing', count: number): Fact[] {
		const known = new Set(this.facts.filter((f) => f.subject === subject).map((f) => f.attribute));
		const free = attributesOf(kind).filter((a) => !known.has(a));
		return this.rng.sample(free, Math.min(count, free.length)).map((a) => this.add(subject, a));
	}
}
/** Every template, for the test that the tokenizer knows its words. */
export const FACT_WORDINGS: readonly string[] = ATTRIBUTES.flatMap((a) => [...a.say, ...a.ask, a.reply]);
