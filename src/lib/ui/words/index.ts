/**
 * Every word of the interface that is not content. A language is one file of type `Words` (it may
 * lay its parts out in a folder, as English does) with its own plural forms from `grammar(locale)`;
 * which one is spoken is chosen here and nowhere else. words.test.ts keeps prose out of components.
 */
import { en } from './en.ts';

export type Words = typeof en;

export const words: Words = en;
