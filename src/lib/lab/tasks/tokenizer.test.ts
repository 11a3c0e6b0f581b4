import { readFileSync } from 'node:fs';
import { Tokenizer } from '@huggingface/tokenizers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { random } from '$lib/numerics/random.ts';
import { KINDS, makeDocument } from './documents.ts';
import { FACT_WORDINGS } from './facts.ts';
import fixture from './fixtures/tokenizer.json';
import { memoized, split, SPLIT } from './split.ts';
import { ARCS } from './story.ts';
import { CHAT, INTRODUCE, NOTED, PADS } from './talk.ts';
import { ALL_WORDS, PEOPLE } from './world.ts';

const read = (name: string) => JSON.parse(readFileSync(`static/models/nano/${name}`, 'utf8'));
const json = read('tokenizer.json');
const tokenizer = new Tokenizer(json, read('tokenizer_config.json'));
const encode = (text: string): number[] => tokenizer.encode(text, { add_special_tokens: false }).ids;
const fast = memoized(encode);

describe('the tokenizer of nano', () => {
	it.each(fixture)('gives the ids of the Python tokenizer: $text', ({ text, ids, plain }) => {
		expect(tokenizer.encode(text).ids).toEqual(ids);
		expect(encode(text)).toEqual(plain);
	});
	it('has its special tokens first and fits in the vocabulary', () => {
		expect(tokenizer.token_to_id('<|bos|>')).toBe(0);
		expect(tokenizer.token_to_id('<|end|>')).toBe(1);
		expect(tokenizer.get_vocab().size).toBeLessThanOrEqual(4096);
	});
	it('splits by the pattern that the generators know', () => {
		expect(JSON.stringify(json.pre_tokenizer)).toContain(JSON.stringify(SPLIT));
	});
	it('knows every word of the world as one token', () => {
		expect(ALL_WORDS.length).toBeGreaterThanOrEqual(1500);
		for (const word of ALL_WORDS) expect(encode(` ${word}`), word).toHaveLength(1);
		for (const name of PEOPLE) expect(encode(name), name).toHaveLength(1);
	});
	it('knows every word of every wording as one token', () => {
		const wordings = [...CHAT.flat(), ...NOTED, ...INTRODUCE, ...PADS, ...FACT_WORDINGS, ...ARCS.flatMap((arc) => arc.beats.flat())];
		const words = new Set(wordings.flatMap((text) => text.replace(/\{[^}]*\}/g, '\n').match(/(?<= )[A-Za-z]+/g) ?? []));
		expect([...words].filter((word) => encode(` ${word}`).length > 1)).toEqual([]);
	});
	it('knows the numbers below 100 as one token and splits longer ones into digits', () => {
		for (let n = 0; n < 100; n++) {
			expect(encode(String(n))).toHaveLength(1);
			expect(encode(` ${n}`)).toHaveLength(1);
		}
		for (const n of [100, 999, 4721, 123456]) expect(encode(` ${n}`)).toHaveLength(String(n).length);
	});
	it('gives back any text', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'grapheme' }), (text) => {
				// What looks like a special token is one.
				fc.pre(text.length > 0 && !text.includes('<|'));
				expect(tokenizer.decode(encode(text), { clean_up_tokenization_spaces: false })).toBe(text);
			})
		);
	});
	it('gives the same ids piece by piece', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'grapheme' }), (text) => {
				fc.pre(!text.includes('<|'));
				expect(split(text).join('')).toBe(text);
				expect(fast(text)).toEqual(encode(text));
			})
		);
	});
	it('finds the borders of a document’s pieces where it splits anyway', () => {
		for (const kind of KINDS.filter((kind) => kind !== 'ids')) {
			for (let seed = 0; seed < 20; seed++) {
				const pieces = makeDocument(kind, random(`pieces/${seed}`), 300, (text) => fast(text).length);
				const whole = pieces.map((piece) => piece.text).join('');
				expect(pieces.flatMap((piece) => fast(piece.text))).toEqual(encode(whole));
			}
		}
	});
});
