/** The tokenizer that a GGUF file carries, in the form of Hugging Face's tokenizer.json. */
import { ModelError } from '../error.ts';
import type { GgufHeader, GgufValue } from './header.ts';
import { PRE_TOKENIZERS } from './pre-tokenizers.ts';

/** Kinds of token (llama_token_type). */
const UNKNOWN = 2;
const CONTROL = 3;
const USER_DEFINED = 4;

interface Vocabulary {
	label: string;
	tokens: string[];
	kinds: ArrayLike<number>;
	metadata: ReadonlyMap<string, GgufValue>;
}

/** Contents of tokenizer.json and tokenizer_config.json. Throws ModelError for a tokenizer of another kind, or none. */
export function tokenizerOf({ metadata }: GgufHeader, label: string): { json: object; config: object } {
	const tokens = metadata.get('tokenizer.ggml.tokens');
	const model = metadata.get('tokenizer.ggml.model');
	if (!isTexts(tokens) || typeof model !== 'string') throw new ModelError(`${label} carries no tokenizer, so no text can be given to it.`);
	const kinds = metadata.get('tokenizer.ggml.token_type') ?? new Int32Array(tokens.length).fill(1);
	if (typeof kinds !== 'object' || kinds.length !== tokens.length || isTexts(kinds)) throw damaged(label, 'not every token has a kind');
	const vocabulary = { label, tokens, kinds, metadata };
	if (model === 'gpt2') return together(vocabulary, byteLevel(vocabulary));
	if (model === 'llama') return together(vocabulary, sentencePiece(vocabulary));
	throw new ModelError(`The tokenizer of ${label} is of the kind ${model}; only gpt2 (byte-level BPE) and llama (SentencePiece) can be used.`);
}

const isTexts = (value: unknown): value is string[] => Array.isArray(value) && (value.length === 0 || typeof value[0] === 'string');
const damaged = (label: string, what: string) => new ModelError(`The tokenizer of ${label} is damaged: ${what}.`);

interface Parts {
	normalizer: object | null;
	pre_tokenizer: object | null;
	decoder: object;
	model: object;
	/** Whether texts begin with a token, unless the file says. */
	begins: boolean;
}

function together(vocabulary: Vocabulary, { begins, ...parts }: Parts): { json: object; config: object } {
	const { tokens, kinds, metadata } = vocabulary;
	const added = tokens.flatMap((content, id) => {
		const special = kinds[id] === CONTROL || kinds[id] === UNKNOWN;
		// An empty token would be found between any two characters.
		return (special || kinds[id] === USER_DEFINED) && content !== ''
			? [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special }] : [];
	});
	const named = (which: string): Named[] => {
		const id = metadata.get(`tokenizer.ggml.${which}_token_id`);
		return typeof id === 'number' && tokens[id] !== undefined ? [{ id, token: tokens[id] }] : [];
	};
	const around = (which: string, otherwise: boolean) => ((metadata.get(`tokenizer.ggml.add_${which}_token`) ?? otherwise) === true ? named(which) : []);
	const template = metadata.get('tokenizer.chat_template');
	return {
		json: { version: '1.0', truncation: null, padding: null, added_tokens: added, ...parts, post_processor: surround(around('bos', begins), around('eos', false)) },
		config: {
			bos_token: named('bos')[0]?.token, eos_token: named('eos')[0]?.token,
			...(typeof template === 'string' ? { chat_template: template } : {})
		}
	};
}

interface Named {
	id: number;
	token: string;
}

/** Puts tokens before and after a text. */
function surround(before: Named[], after: Named[]): object | null {
	if (before.length + after.length === 0) return null;
	const special = ({ token }: Named) => ({ SpecialToken: { id: token, type_id: 0 } });
	const known = [...before, ...after].map(({ id, token }): [string, object] => [token, { id: token, ids: [id], tokens: [token] }]);
	return {
		type: 'TemplateProcessing', pair: [], special_tokens: Object.fromEntries(known),
		single: [...before.map(special), { Sequence: { id: 'A', type_id: 0 } }, ...after.map(special)]
	};
}

const vocabularyOf = (tokens: string[]) => Object.fromEntries(tokens.map((token, id) => [token, id]));
const model = (tokens: string[], merges: string[][], more: object) => ({
	type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null,
	fuse_unk: false, byte_fallback: false, vocab: vocabularyOf(tokens), merges, ...more
});

function byteLevel({ label, tokens, metadata }: Vocabulary): Parts {
	const rule = metadata.get('tokenizer.ggml.pre') ?? 'default';
	const pre = PRE_TOKENIZERS.get(String(rule));
	if (!pre) throw new ModelError(`${label} splits texts by the rule ${String(rule)}; known are ${[...PRE_TOKENIZERS.keys()].join(', ')}.`);
	const merges = metadata.get('tokenizer.ggml.merges') ?? [];
	if (!isTexts(merges)) throw damaged(label, 'its merges are no texts');
	const pairs = merges.map((merge) => {
		// The space that parts the two cannot be the first character.
		const space = merge.indexOf(' ', 1);
		if (space < 0) throw damaged(label, `"${merge.slice(0, 40)}" is no pair of tokens to be merged`);
		return [merge.slice(0, space), merge.slice(space + 1)];
	});
	return {
		normalizer: pre.normalizer, pre_tokenizer: pre.split, begins: pre.begins,
		decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
		model: model(tokens, pairs, { ignore_merges: pre.wholeWords })
	};
}

function sentencePiece({ label, tokens, kinds, metadata }: Vocabulary): Parts {
	const scores = metadata.get('tokenizer.ggml.scores');
	if (typeof scores !== 'object' || scores.length !== tokens.length || isTexts(scores)) throw damaged(label, 'not every token has a score');
	const prefix = metadata.get('tokenizer.ggml.add_space_prefix') !== false;
	const unknown = tokens.find((_, id) => kinds[id] === UNKNOWN) ?? null;
	return {
		begins: true,
		normalizer: {
			type: 'Sequence',
			normalizers: [...(prefix ? [{ type: 'Prepend', prepend: '▁' }] : []), { type: 'Replace', pattern: { String: ' ' }, content: '▁' }]
		},
		pre_tokenizer: null,
		decoder: {
			type: 'Sequence',
			decoders: [
				{ type: 'Replace', pattern: { String: '▁' }, content: ' ' }, { type: 'ByteFallback' }, { type: 'Fuse' },
				...(prefix ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : [])
			]
		},
		model: model(tokens, mergesByScore(tokens, scores), { unk_token: unknown, fuse_unk: true, byte_fallback: true })
	};
}

/**
 * SentencePiece joins, again and again, the two neighbours that make the token of highest score. As
 * merges: every way to part a token into two others, highest score first.
 */
function mergesByScore(tokens: string[], scores: ArrayLike<number>): string[][] {
	const known = new Set(tokens);
	const found: { pair: [string, string]; score: number }[] = [];
	tokens.forEach((token, id) => {
		// Longer texts are no words; parting them would take the square of their length.
		if (token.length > 256) return;
		for (let cut = 1; cut < token.length; cut++) {
			const pair: [string, string] = [token.slice(0, cut), token.slice(cut)];
			if (known.has(pair[0]) && known.has(pair[1])) found.push({ pair, score: scores[id] });
		}
	});
	found.sort((a, b) => b.score - a.score || b.pair[0].length - a.pair[0].length);
	return found.map(({ pair }) => pair);
}
