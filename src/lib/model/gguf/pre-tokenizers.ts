/**
 * How a byte-level BPE tokenizer splits a text before it merges: GGUF names the rule
 * (tokenizer.ggml.pre), tokenizer.json spells it out. The expressions are those of the models' own
 * tokenizer.json, which llama.cpp repeats in llama-vocab.cpp.
 */

const byteLevel = (ownSplit: boolean) => ({ type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: ownSplit });
const split = (expression: string) => ({ type: 'Split', pattern: { Regex: expression }, behavior: 'Isolated', invert: false });
const sequence = (...pretokenizers: object[]) => ({ type: 'Sequence', pretokenizers });

/** Words with the sign before them, numbers of at most `digits` digits, signs, line ends. */
const words = (digits: string) => "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" + `\\p{N}${digits}`
	+ '| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';

interface PreTokenizer {
	normalizer: object | null;
	split: object;
	/** A word that is a token is taken whole, whatever the merges would make of it. */
	wholeWords: boolean;
	/** The text begins with the token that begins texts, unless the file says otherwise. */
	begins: boolean;
}

const gpt2: PreTokenizer = { normalizer: null, split: byteLevel(true), wholeWords: false, begins: false };
/** Every digit by itself. */
const smollm: PreTokenizer = { ...gpt2, split: sequence(split('\\p{N}'), byteLevel(true)) };
const qwen2: PreTokenizer = { ...gpt2, normalizer: { type: 'NFC' }, split: sequence(split(words('')), byteLevel(false)) };
const llama3: PreTokenizer = { ...gpt2, split: sequence(split(words('{1,3}')), byteLevel(false)), wholeWords: true, begins: true };
/** What llama.cpp does where no rule is named. */
const plain: PreTokenizer = {
	...gpt2,
	split: sequence(split('[\\p{P}\\$\\+<=>\\^~\\|]+'), split("'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)"),
		split('\\p{N}+'), split('[0-9][0-9][0-9]'), byteLevel(false))
};

export const PRE_TOKENIZERS = new Map<string, PreTokenizer>([
	['gpt-2', gpt2], ['phi-2', gpt2], ['smollm', smollm], ['starcoder', smollm], ['refact', smollm], ['command-r', smollm],
	['qwen2', qwen2], ['deepseek-r1-qwen', qwen2], ['llama-bpe', llama3], ['llama3', llama3], ['llama-v3', llama3], ['falcon3', llama3], ['default', plain]
]);
