/**
 * What a fact can be about: the values of an attribute, and the ways to say them and to ask for them.
 * An answer has one form only (the bare value after `A:`, the sentence `reply` after `Bot:`):
 * two possible forms would leave the model guessing which one is meant.
 */
import type { Random } from '$lib/numerics/random.ts';
import {
	ANIMALS, COLOURS, DAYS, DRINKS, FOODS, HOBBIES, INDOORS, INSTRUMENTS, JOBS, LOOKS, MATERIALS,
	MONTHS, OBJECTS, OUTDOORS, PEOPLE, PLANTS, SEASONS, TOWNS, TOYS
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

const vowel = /^[aeiou]/;
const plain = (words: readonly string[]) => words.filter((word) => !vowel.test(word));
const PETS = plain(ANIMALS);
const TRADES = plain(JOBS);
const WISHES = plain([...TOYS, ...OBJECTS]);
const PLACES = [...INDOORS, ...OUTDOORS];
/** Looks that say nothing about the material, which may be a fact of its own. */
export const THING_LOOKS = LOOKS.filter((look) => !MATERIALS.includes(look) && !/^(?:metal|wooden|woolen|velvet)$/.test(look));
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
/** Every template, for the test that the tokenizer knows its words. */
export const FACT_WORDINGS: readonly string[] = ATTRIBUTES.flatMap((a) => [...a.say, ...a.ask, a.reply]);
