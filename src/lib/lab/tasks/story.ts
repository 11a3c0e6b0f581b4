/** Tells an endless story: one set of people, one adventure after another, each told from a plan. */
import type { Random } from '$lib/numerics/random.ts';
import type { Arc } from './arcs/arc.ts';
import { ANIMAL, LOST } from './arcs/lost.ts';
import { BUILDING, COOKING, GARDEN } from './arcs/making.ts';
import { JOURNEY, NIGHT, TREASURE } from './arcs/going.ts';
import { GIFT, LEARNING, QUARREL, STRANGER } from './arcs/people.ts';
import { OPENINGS, TURNS } from './arcs/frame.ts';
import * as world from './world.ts';

export const ARCS: readonly Arc[] = [
	LOST, ANIMAL, COOKING, BUILDING, GARDEN, JOURNEY, TREASURE, NIGHT, GIFT, QUARREL, LEARNING, STRANGER
];
const OUTSIDE = [
	'beach', 'bridge', 'cave', 'cliff', 'courtyard', 'farm', 'field', 'forest', 'fountain', 'garden', 'harbour', 'hill', 'island',
	'lake', 'market', 'meadow', 'mountain', 'orchard', 'park', 'pasture', 'pier', 'pond', 'river', 'stream', 'vineyard', 'waterfall'
];
/** All of them plural, as the wordings need. */
const FRUIT = [
	'apples', 'apricots', 'bananas', 'berries', 'carrots', 'cherries', 'grapes', 'nuts', 'peaches', 'pears', 'plums', 'raisins',
	'raspberries', 'strawberries', 'walnuts'
];
const GROWING = ['daffodil', 'lily', 'poppy', 'rose', 'sunflower', 'tulip', 'violet'];
const BUILDS = ['boat', 'hut', 'treehouse', 'bridge', 'raft', 'wagon', 'snowman', 'kennel', 'swing', 'tower', 'castle'];
const HELPERS = world.JOBS.filter((job) => !/clown|hunter|judge|cashier|queen|guard/.test(job));
const MEANS = ['a strong rope', 'a long ladder', 'a good saw', 'a pot of glue', 'a small box of tools', 'a new hammer', 'some wire'];
const SKILLS = world.HOBBIES.filter((hobby) => /swim|skat|danc|jugg|climb|rid|ski|row|archery/.test(hobby));
/** For mending toys; MEANS are for heavier work. */
const MENDING = ['a pot of glue', 'some wire', 'a small box of tools', 'a needle with strong thread'];
const SMALL = ['cat', 'crow', 'hedgehog', 'kitten', 'mouse', 'owl', 'pigeon', 'puppy', 'rabbit', 'raccoon', 'raven', 'squirrel'];
const AT_HOME = ['attic', 'kitchen', 'cellar', 'pantry', 'garage'];
/** What each dish cannot be made without. */
const INGREDIENTS: Record<string, readonly string[]> = {
	cake: ['strawberries', 'apples', 'walnuts', 'honey', 'butter', 'cherries'],
	soup: ['carrots', 'potatoes', 'onions', 'tomatoes', 'peas'],
	bread: ['butter', 'nuts', 'honey', 'raisins'],
	pie: ['apples', 'cherries', 'pears', 'berries', 'plums'],
	stew: ['beans', 'carrots', 'potatoes', 'onions'],
	pudding: ['raspberries', 'raisins', 'chocolate', 'vanilla'],
	porridge: ['oats', 'honey', 'raisins'],
	pizza: ['cheese', 'tomatoes', 'olives'],
	curry: ['rice', 'lentils', 'ginger'],
	custard: ['eggs', 'vanilla', 'butter']
};
const ROOMS = ['attic', 'kitchen', 'cellar', 'pantry', 'garage', 'shed', 'barn', 'stable', 'workshop'];

/** What is left to draw from in a story, so that two animals or places are never mixed up. */
class Bag<T> {
	private rest: T[] = [];
	constructor(private readonly rng: Random, private readonly items: readonly T[]) {}
	next(): T {
		if (this.rest.length === 0) this.rest = this.rng.shuffle(this.items);
		return this.rest.pop()!;
	}
}

export interface StoryOptions {
	/** Hero and friend, where other parts of the text have people too. */
	people?: readonly [string, string];
	/** The things that may occur, for the same reason. */
	things?: readonly string[];
}

const forms = (girl: boolean) => (girl ? ['she', 'her', 'her'] : ['he', 'his', 'him']);

/** A stretch of a sentence that ends where a tokenizer splits; `slot` says what of the story fills it. */
export interface StoryPart {
	text: string;
	slot?: string;
}

/** A sentence with its slots filled from the state of the story. */
function fill(template: string, state: Readonly<Record<string, string>>): StoryPart[] {
	const parts: StoryPart[] = [];
	let end = 0;
	for (const { 0: whole, 1: gap, 2: key, 3: upper, index } of template.matchAll(/( ?)\{(\w+)(\+?)\}/g)) {
		if (index > end) parts.push({ text: template.slice(end, index) });
		end = index + whole.length;
		if (/^a[A-Z]/.test(key)) {
			const [article, ...rest] = world.article(state[key.slice(1)]).split(' ');
			parts.push({ text: gap + (upper ? world.capital(article) : article) }, { text: ` ${rest.join(' ')}`, slot: key.slice(1) });
		} else parts.push({ text: gap + (upper ? world.capital(state[key]) : state[key]), slot: key });
	}
	if (end < template.length) parts.push({ text: template.slice(end) });
	return parts;
}

/** Who a story is about and where they live. */
function drawPeople(rng: Random, people?: readonly [string, string]): Record<string, string> {
	const [hero, friend] = people ?? rng.sample(world.PEOPLE, 2);
	const [he, his, him] = forms(world.isGirl(hero));
	const [fe, fis, fim] = forms(world.isGirl(friend));
	const state: Record<string, string> = { H: hero, he, his, him, F: friend, fe, fis, fim };
	for (const key of ['he', 'his', 'fe', 'fis']) state[world.capital(key)] = world.capital(state[key]);
	return state;
}
const drawPlace = (rng: Random, { H, F }: Readonly<Record<string, string>>): Record<string, string> => ({
	town: rng.pick(world.TOWNS), girl: world.isGirl(H) ? 'girl' : 'boy', nature: rng.pick(world.NATURES), fgirl: world.isGirl(F) ? 'girl' : 'boy'
});
const open = (rng: Random) => OPENINGS.map((beat) => rng.pick(beat));
const sentences = (beats: readonly string[], state: Readonly<Record<string, string>>) =>
	beats.flatMap((beat) => beat.split('|')).map((sentence) => fill(sentence, state));

/** How one story begins: the sentences that introduce hero and friend. */
export function opening(rng: Random): StoryPart[][] {
	const people = drawPeople(rng);
	return sentences(open(rng), { ...people, ...drawPlace(rng, people) });
}

/** Returns a function that gives the next sentence, for ever. */
export function tellParts(rng: Random, { people, things: props = world.TOYS }: StoryOptions = {}): () => StoryPart[] {
	const state = drawPeople(rng, people);
	const arcs = new Bag(rng, ARCS);
	const animals = new Bag(rng, world.FRIENDLY);
	const small = new Bag(rng, SMALL);
	const things = new Bag(rng, props);
	const places = new Bag(rng, OUTSIDE);
	const helpers = new Bag(rng, HELPERS);
	const builds = new Bag(rng, BUILDS);
	const skills = new Bag(rng, SKILLS);
	const turns = new Bag(rng, TURNS);
	Object.assign(state, drawPlace(rng, state));
	const begin = () => {
		state.A = animals.next();
		state.T = `${rng.chance(0.5) ? rng.pick(world.COLOURS) : rng.pick(world.LOVED)} ${things.next()}`;
		for (const key of ['P', 'Q', 'R']) state[key] = places.next();
		state.I = rng.pick(ROOMS);
		state.J = `the ${helpers.next()}`;
		state.B = builds.next();
		state.skill = skills.next();
		state.M = rng.pick(MEANS);
		state.D = rng.pick(world.DISHES);
		state.S = small.next();
		state.N = rng.pick(AT_HOME);
		state.G = rng.pick(MENDING);
		state.ing = rng.pick(INGREDIENTS[state.D]);
		state.food = rng.pick(FRUIT);
		state.plant = rng.pick(GROWING);
		state.colour = rng.pick(world.COLOURS);
	};
	let queue: StoryPart[][] = [];
	let first = true;
	return () => {
		if (queue.length === 0) {
			begin();
			const lead = first ? open(rng) : [turns.next()];
			first = false;
			queue = sentences([...lead, ...arcs.next().beats.map((beat) => rng.pick(beat))], state);
		}
		return queue.shift()!;
	};
}

/** The same as plain text. */
export function tellStory(rng: Random, options: StoryOptions = {}): () => string {
	const next = tellParts(rng, options);
	return () => next().map(({ text }) => text).join('');
}
