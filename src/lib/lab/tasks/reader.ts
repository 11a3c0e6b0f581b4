/** Reads facts back out of a text, by the templates: how the tests know that answers follow from it. */
import { ATTRIBUTES, type Attribute } from './facts.ts';

const escape = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const pattern = (template: string): RegExp => {
	const source = escape(template).replace('\\{s\\}', '(?<s>[Tt]he [a-z]+ [a-z]+|[A-Z][a-z]+)').replace('\\{v\\}', '(?<v>[A-Za-z0-9]+)');
	return new RegExp(`^${source}$`);
};
const SAID = ATTRIBUTES.flatMap((of) => of.say.concat(of.reply).map((text) => ({ of, regex: pattern(text) })));
const ASKED = ATTRIBUTES.flatMap((of) => of.ask.map((text) => ({ of, regex: pattern(text) })));
const subjectOf = (match: RegExpExecArray) => match.groups!.s.replace(/^The /, 'the ');

/** The fact that a sentence states, as `attribute of subject` and its value. */
export function readFact(sentence: string): { key: string; value: string } | null {
	for (const { of, regex } of SAID) {
		const match = regex.exec(sentence);
		if (match) return { key: `${of.id} of ${subjectOf(match)}`, value: match.groups!.v };
	}
	return null;
}
/** What a question asks for. */
export function readQuestion(text: string): { key: string; attribute: Attribute } | null {
	for (const { of, regex } of ASKED) {
		const match = regex.exec(text);
		if (match) return { key: `${of.id} of ${subjectOf(match)}`, attribute: of };
	}
	return null;
}
/** Everything that a text states, in order; a statement that contradicts an earlier one is an error. */
export function readFacts(text: string, known = new Map<string, string>()): Map<string, string> {
	for (const sentence of text.split(/(?<=[.!?]"?)\s+|\n/)) {
		const fact = readFact(sentence.replace(/^(?:User|Bot): /, ''));
		if (!fact) continue;
		const before = known.get(fact.key);
		if (before !== undefined && before !== fact.value) throw new Error(`${fact.key}: ${before}, then ${fact.value}`);
		known.set(fact.key, fact.value);
	}
	return known;
}
