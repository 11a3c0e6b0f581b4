import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ModelError } from './error.ts';
import { HF_RANDOM, randomLlama } from './random-llama.ts';
import { Tokenizer } from './tokenizer.ts';

const source = randomLlama({
	architectures: ['LlamaForCausalLM'], vocab_size: 258, hidden_size: 8, intermediate_size: 8, num_hidden_layers: 1,
	num_attention_heads: 2, max_position_embeddings: 16
}, HF_RANDOM);
const bytes = new Tokenizer((await source.json('tokenizer.json')) as object, {});

describe('Tokenizer over single bytes', () => {
	it('begins with <|bos|>, unless bare', () => {
		expect(bytes.encode('a').length).toBe(2);
		expect(bytes.encode('a')[0]).toBe(0);
		expect(bytes.encode('a', { bare: true }).length).toBe(1);
		expect(bytes.size).toBe(258);
		expect(bytes.idOf('<|end|>')).toBe(1);
	});

	it('shows a character with the last of its bytes, special tokens by name', () => {
		const ids = bytes.encode('é€!');
		expect(bytes.texts(ids)).toEqual(['<|bos|>', '', 'é', '', '', '€', '!']);
		expect(bytes.decode(ids)).toBe('é€!');
		expect(bytes.isSpecial(0)).toBe(true);
	});

	it('marks bytes that spell no character', () => {
		const half = bytes.encode('é', { bare: true }).slice(0, 1);
		expect(bytes.texts(half)).toEqual(['\uFFFD']);
		expect(bytes.texts([...half, 1])).toEqual(['', '\uFFFD<|end|>']);
		expect(() => bytes.texts([999])).toThrow('Token 999 is not in the vocabulary.');
	});

	it('gives any text back', () => {
		fc.assert(fc.property(fc.string({ unit: 'grapheme', maxLength: 20 }), (text) => {
			// Names of special tokens are read as such, so they are left out.
			fc.pre(!text.includes('<|'));
			const ids = bytes.encode(text, { bare: true });
			expect(bytes.texts(ids).join('')).toBe(text);
			expect(bytes.decode(ids)).toBe(text);
		}));
	});

	it.each<[string, object]>([
		['no known kind', { model: { type: 'Nonsense' } }],
		['nothing', {}],
		['no model', { model: null, decoder: null, normalizer: null, pre_tokenizer: null, post_processor: null, added_tokens: [] }],
		['a token far away', { model: { type: 'BPE', vocab: { a: 2 ** 31 }, merges: [] } }],
		['a token before the first', { model: { type: 'BPE', vocab: { a: -1 }, merges: [] } }],
		['a token without a number', { model: { type: 'BPE', vocab: { a: 'b' }, merges: [] } }],
		['an added token far away', { model: { type: 'BPE', vocab: { a: 0 }, merges: [] }, added_tokens: [{ id: 1e15, content: 'x' }] }],
		['a decoder of no form', { model: { type: 'BPE', vocab: { a: 0 }, merges: [] }, decoder: { type: 'Sequence', decoders: 7 }, normalizer: null, pre_tokenizer: null, post_processor: null, added_tokens: [] }]
	])('refuses %s', (_, json) => {
		expect(() => new Tokenizer(json, {})).toThrow(ModelError);
		expect(() => new Tokenizer(json, {})).toThrow('The tokenizer of this model cannot be used');
	});
});

describe('a tokenizer in the manner of SentencePiece', () => {
	const pieces = ['<unk>', '<s>', '</s>', '<0xC3>', '<0xA9>', '▁Hi', '▁', 'H', 'i', '▁H', '.'];
	const special = pieces.slice(0, 3).map((content, id) => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }));
	const llama = new Tokenizer({
		added_tokens: special,
		normalizer: { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '▁' }, { type: 'Replace', pattern: { String: ' ' }, content: '▁' }] },
		pre_tokenizer: null, post_processor: null,
		decoder: { type: 'Sequence', decoders: [
			{ type: 'Replace', pattern: { String: '▁' }, content: ' ' }, { type: 'ByteFallback' }, { type: 'Fuse' }, { type: 'Strip', content: ' ', start: 1, stop: 0 }
		] },
		model: {
			type: 'BPE', unk_token: '<unk>', fuse_unk: true, byte_fallback: true, ignore_merges: false,
			vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])), merges: [['▁', 'H'], ['▁H', 'i']]
		}
	}, {});

	it('spells bytes and drops the space that was put before the text', () => {
		const ids = llama.encode('Hi Hi.é');
		expect(Array.from(ids)).toEqual([5, 5, 10, 3, 4]);
		expect(llama.texts(ids)).toEqual(['Hi', ' Hi', '.', '', 'é']);
		expect(llama.texts([1, ...ids])).toEqual(['<s>', 'Hi', ' Hi', '.', '', 'é']);
		expect(llama.decode([1, ...ids, 2])).toBe('Hi Hi.é');
	});
});

const folder = 'static/models/nano';
describe.runIf(existsSync(`${folder}/tokenizer.json`))('the tokenizer of nano', () => {
	const read = (file: string) => JSON.parse(readFileSync(`${folder}/${file}`, 'utf8'));
	const nano = new Tokenizer(read('tokenizer.json'), read('tokenizer_config.json'));

	it('splits a sentence into texts that make it up again', () => {
		const text = 'Mia hid the blue key at 7:45.\nWhere — is it? 4821';
		const ids = nano.encode(text);
		expect(nano.texts(ids)[0]).toBe('<|bos|>');
		expect(nano.texts(ids).slice(1).join('')).toBe(text);
		expect(nano.decode(ids)).toBe(text);
	});
});
