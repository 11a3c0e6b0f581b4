/** Facts: a subject, an attribute and a value, drawn so that a document never contradicts itself. */
import type { Random } from '$lib/numerics/random.ts';
import { attributesOf, THING_LOOKS, type Attribute } from './attributes.ts';
import { BOYS, capital, COLOURS, GIRLS, OBJECTS, TOYS } from './world.ts';

export { ATTRIBUTES, attribute, attributesOf, FACT_WORDINGS, type Attribute } from './attributes.ts';

export interface Fact {
	subject: string;
	attribute: Attribute;
	value: string;
}

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
