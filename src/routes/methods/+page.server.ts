/** Runs while the site is built: the page gets the texts of all methods and none of their code. */
import { methods } from '$lib/methods/registry.ts';
import { entryOf } from './catalogue.ts';
import type { PageServerLoad } from './$types.js';

export const load: PageServerLoad = () => ({ entries: [...methods.values()].map(entryOf) });
