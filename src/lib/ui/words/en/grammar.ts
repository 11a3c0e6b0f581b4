import { grammar } from '../grammar.ts';

/** The list without a comma before "and" is British. */
const english = grammar('en-GB');

export const { list } = english;

/** "1 head", "24 heads". */
export const plural = (value: number, one: string, other = `${one}s`): string => english.counted(value, { one, other });

/** The form alone: `form(n, 'has', 'have')`. */
export const form = (value: number, one: string, other: string): string => english.form(value, { one, other });
