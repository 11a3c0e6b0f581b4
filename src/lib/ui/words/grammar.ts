/** What a language's words take from the platform: plural forms and lists. */
import { count } from '../format.ts';

/** A noun or verb by CLDR plural category; `other` stands in for those that a language does not tell apart. */
export type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };

/** Grammar of a locale, e.g. `grammar('en-GB')`. */
export function grammar(locale: string) {
	const rules = new Intl.PluralRules(locale);
	const lists = new Intl.ListFormat(locale, { type: 'conjunction' });
	/** The form that goes with a number, without the number. */
	const form = (value: number, forms: Forms): string => forms[rules.select(value)] ?? forms.other;
	return {
		form,
		/** The number and its noun: "24 heads". */
		counted: (value: number, forms: Forms): string => `${count(value)} ${form(value, forms)}`,
		/** "A", "A and B", "A, B and C". */
		list: (items: readonly string[]): string => lists.format(items)
	};
}
