// The tokenizer as the stream and the test sets use it.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { memoized } from '$lib/lab/tasks/split.ts';

export interface Tokens {
	/** Tokens of a text, without `<|bos|>`. */
	encode(text: string): number[];
	decode(ids: number[]): string;
	size: number;
	bos: number;
	end: number;
}

export function loadTokens(folder = 'static/models/nano'): Tokens {
	const read = (name: string) => JSON.parse(readFileSync(resolve(folder, name), 'utf8'));
	const tokenizer = new Tokenizer(read('tokenizer.json'), read('tokenizer_config.json'));
	return {
		encode: memoized((piece) => tokenizer.encode(piece, { add_special_tokens: false }).ids),
		decode: (ids) => tokenizer.decode(ids),
		size: tokenizer.get_vocab().size,
		bos: tokenizer.token_to_id('<|bos|>')!,
		end: tokenizer.token_to_id('<|end|>')!
	};
}
