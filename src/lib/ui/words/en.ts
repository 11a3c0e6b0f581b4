/** English. Plain verbs, present tense, short sentences. */
import { attention } from './en/attention.ts';
import { bill } from './en/bill.ts';
import { changed } from './en/changed.ts';
import { compare } from './en/compare.ts';
import { decision } from './en/decision.ts';
import { list } from './en/grammar.ts';
import { hand, policy } from './en/hand.ts';
import * as lab from './en/lab.ts';
import { lessons } from './en/lessons.ts';
import { headTypes } from './en/head-types.ts';
import { lost } from './en/lost.ts';
import { loupe } from './en/loupe.ts';
import { map } from './en/map.ts';
import { methods } from './en/methods.ts';
import * as models from './en/models.ts';
import { next } from './en/next.ts';
import * as page from './en/page.ts';
import { quantization } from './en/quantization.ts';
import { ribbon } from './en/ribbon.ts';
import { spectrum } from './en/spectrum.ts';
import * as terms from './en/terms.ts';

export const en = {
	...page, ...terms, ...lab, ...models,
	changed, ribbon, map, attention, lost, headTypes, decision, quantization, spectrum, next, loupe, bill, lessons, methods, compare, hand, policy,
	list
};
