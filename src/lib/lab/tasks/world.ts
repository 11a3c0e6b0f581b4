/** The world of the texts: every word list in one place, and what is derived from several of them. */
export * from './words/people.ts';
export * from './words/places.ts';
export * from './words/things.ts';
export * from './words/tastes.ts';
export * from './words/describing.ts';
export * from './words/forms.ts';
import * as people from './words/people.ts';
import * as places from './words/places.ts';
import * as things from './words/things.ts';
import * as tastes from './words/tastes.ts';
import * as describing from './words/describing.ts';
import * as forms from './words/forms.ts';

export const PEOPLE: readonly string[] = [...people.GIRLS, ...people.BOYS];
const girls = new Set(people.GIRLS);
export const isGirl = (name: string): boolean => girls.has(name);

/** Each different word once, in a fixed order. */
export const ALL_WORDS: readonly string[] = [
	...new Set([people, places, things, tastes, describing, forms].flatMap((module) => Object.values(module).flat()))
];
/** The words in small letters: what lists to copy are made of. */
export const COMMON_WORDS: readonly string[] = ALL_WORDS.filter((word) => /^[a-z]/.test(word));

/** `a` or `an` before a word of this world (none of them has a silent h but these). */
export const article = (word: string): string =>
	/^(?:[aeio]|u[^ks]|honest|hour|honour)/.test(word) && !/^(?:one|unic|usef)/.test(word) ? `an ${word}` : `a ${word}`;
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

