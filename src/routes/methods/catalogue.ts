/** The catalogue as values: families in order, what a search finds, parameters as rows. Pure: texts come from the methods. */
import type { Experiment } from '$lib/documents/experiment.ts';
import type { Family, Method, ParamSpec } from '$lib/methods/define.ts';
import { words } from '$lib/ui/words/index.ts';
import { budgetWords, FIRST_EXPERIMENT } from '../experiments.ts';

/** A family without a sentence does not compile; the order is that of the words. */
const texts: Record<Family, { name: string; about: string }> = words.methods.families;
export const FAMILIES = Object.keys(texts) as Family[];

/** What the list shows and searches of a method; small enough to stand in the page. */
export interface Entry {
	id: string;
	title: string;
	subtitle: string;
	family: Family;
	/** First sentence of the idea. */
	first: string;
	/** All that a search looks through, in lower case. */
	text: string;
}

export interface Group {
	family: Family;
	name: string;
	about: string;
	entries: Entry[];
}

/** The first sentence of a text: up to a full stop, question mark or colon before a space and a capital. */
export function firstSentence(text: string): string {
	return /^.*?[.?!](?=\s+\p{Lu}|\s*$)/su.exec(text)?.[0] ?? text;
}

export function entryOf(method: Method): Entry {
	const { id, title, subtitle, family, idea, paper, params } = method;
	const text = [id, title, subtitle, family, texts[family].name, idea, paper, ...Object.keys(params)].join(' ').toLowerCase();
	return { id, title, subtitle, family, first: firstSentence(idea), text };
}

/** Families in their order, titles in alphabetical order inside; families without entries are left out. */
export function groupByFamily(entries: readonly Entry[]): Group[] {
	return FAMILIES.map((family) => ({
		family,
		...texts[family],
		entries: entries.filter((entry) => entry.family === family).sort((a, b) => a.title.localeCompare(b.title, 'en'))
	})).filter((group) => group.entries.length > 0);
}

/** Entries of the family (all when null) that contain every word of the query, anywhere, in any case. */
export function find(entries: readonly Entry[], family: Family | null, query: string): Entry[] {
	const parts = query.toLowerCase().split(/\s+/).filter(Boolean);
	return entries.filter((entry) => (!family || entry.family === family) && parts.every((part) => entry.text.includes(part)));
}

/** What the address asks for; what it does not know is ignored. */
export function readSearch(search: string): { family: Family | null; query: string } {
	const asked = new URLSearchParams(search);
	const family = FAMILIES.find((each) => each === asked.get('family')) ?? null;
	return { family, query: asked.get('q') ?? '' };
}

/** The part of the address from `?` on, or nothing. */
export function writeSearch(family: Family | null, query: string): string {
	const asked = new URLSearchParams();
	if (family) asked.set('family', family);
	if (query.trim()) asked.set('q', query.trim());
	const text = asked.toString();
	return text && `?${text}`;
}

export interface ParamRow {
	name: string;
	kind: string;
	range: string;
	default: string;
	about: string;
}

/** A method's parameters in the order of its definition. `titleOf`: a method's name by its id. */
export function paramRows(params: Record<string, ParamSpec>, titleOf: (id: string) => string): ParamRow[] {
	const w = words.methods.params;
	const say = (spec: ParamSpec): Omit<ParamRow, 'name' | 'about'> => {
		const { kinds } = w;
		switch (spec.kind) {
			case 'int':
				return { kind: spec.odd ? kinds.odd : kinds.int, range: w.between(spec.min, spec.max), default: String(spec.default) };
			case 'number':
				return { kind: kinds.number, range: w.between(spec.min, spec.max), default: String(spec.default) };
			case 'choice':
				return { kind: kinds.choice, range: spec.options.join(', '), default: String(spec.default) };
			case 'boolean':
				return { kind: kinds.boolean, range: `${w.yes}, ${w.no}`, default: spec.default ? w.yes : w.no };
			case 'budget':
				return { kind: kinds.budget, range: w.budget, default: budgetWords(spec.default) };
			case 'scorer':
				return { kind: kinds.scorer, range: w.scorer, default: titleOf(spec.default.method) };
		}
	};
	return Object.entries(params).map(([name, spec]) => ({ name, ...say(spec), about: spec.about }));
}

const BESIDE = 'streaming-llm';

/** The needle task with the method at its defaults, beside sinks and recent tokens. */
export function demoOf(method: Method, beside: Method | undefined): Experiment {
	const others = beside && method.id !== BESIDE ? [beside] : [];
	return { ...FIRST_EXPERIMENT, arms: [method, ...others].map(({ id, title }) => ({ label: title.slice(0, 40), stack: [{ method: id }] })) };
}
