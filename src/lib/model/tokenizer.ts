/** The tokenizer of a model, and the text that each token stands for on the page. */
import { Tokenizer as Library } from '@huggingface/tokenizers';
import { ModelError } from './error.ts';
import { byteLevelBytes, sentencePieceBytes } from './token-bytes.ts';

export class Tokenizer {
	private readonly library: Library;
	private readonly bytesOf: (token: string) => Uint8Array;
	private readonly special: ReadonlySet<number>;
	/** SentencePiece puts a space before a text when it encodes and takes it away when it decodes. */
	private readonly addsSpace: boolean;

	/** Contents of tokenizer.json and tokenizer_config.json. Throws ModelError if they are not a tokenizer. */
	constructor(json: object, config: object) {
		try {
			refuseFarIds(json);
			this.library = new Library(json, config);
			this.addsSpace = addsSpace(json);
			this.bytesOf = isByteLevel(json) ? byteLevelBytes : sentencePieceBytes;
		} catch (cause) {
			throw new ModelError(`The tokenizer of this model cannot be used: ${cause instanceof Error ? cause.message : String(cause)}.`, { cause });
		}
		this.special = new Set([...this.library.get_added_tokens_decoder()].filter(([, token]) => token.special).map(([id]) => id));
	}

	/** Highest id + 1. */
	get size(): number {
		let highest = -1;
		for (const id of this.library.get_vocab(true).values()) highest = Math.max(highest, id);
		return highest + 1;
	}

	/** Ids of a text, with what tokenizer.json puts around it (a first `<|bos|>`); without it when `bare`. */
	encode(text: string, options: { bare?: boolean } = {}): Int32Array {
		return Int32Array.from(this.library.encode(text, { add_special_tokens: !options.bare }).ids);
	}

	/** The text of ids, without special tokens. */
	decode(ids: ArrayLike<number>): string {
		return this.texts(Array.from(ids).filter((id) => !this.special.has(id))).join('');
	}

	/**
	 * One text a token; their concatenation is the text. A character that several tokens spell in
	 * bytes stands with the last of them; special tokens show their name.
	 */
	texts(ids: ArrayLike<number>): string[] {
		const stream = this.stream();
		const texts = Array.from(ids, (id) => stream.push(id));
		if (texts.length > 0) texts[texts.length - 1] += stream.end();
		return texts;
	}

	/** The same, token by token as they are generated. */
	stream(): { push(id: number): string; end(): string } {
		let decoder = new TextDecoder('utf-8', { ignoreBOM: true });
		let first = this.addsSpace;
		return {
			push: (id) => {
				const token = this.library.id_to_token(id);
				if (token === undefined) throw new RangeError(`Token ${id} is not in the vocabulary.`);
				if (!this.special.has(id)) {
					const text = decoder.decode(this.bytesOf(token), { stream: true });
					const stripped = first && text.startsWith(' ') ? text.slice(1) : text;
					first &&= text === '';
					return stripped;
				}
				const rest = decoder.decode();
				decoder = new TextDecoder('utf-8', { ignoreBOM: true });
				return rest + token;
			},
			end: () => decoder.decode()
		};
	}

	/** The id of a token, e.g. `<|bos|>`. */
	idOf(token: string): number | undefined {
		return this.library.token_to_id(token);
	}

	/** The token of an id as the vocabulary writes it; undefined where there is none. */
	tokenOf(id: number): string | undefined {
		return this.library.id_to_token(id);
	}

	isSpecial(id: number): boolean {
		return this.special.has(id);
	}
}

interface Part {
	type?: string;
	decoders?: Part[];
	pretokenizers?: Part[];
	/** Strip: how many characters go from the start. */
	start?: number;
	/** Metaspace, in newer and older files. */
	prepend_scheme?: string;
	add_prefix_space?: boolean;
}

interface TokenizerJson {
	decoder?: Part | null;
	pre_tokenizer?: Part | null;
	model?: { vocab?: unknown } | null;
	added_tokens?: { id?: unknown }[];
}

/** Far above every vocabulary (the largest have some 260 000 tokens). */
const MOST_TOKENS = 2 ** 22;

/** The library has a place for every id up to the highest, so one wrong id would take all memory. */
function refuseFarIds({ model, added_tokens: added = [] }: TokenizerJson): void {
	const vocab = model?.vocab ?? {};
	// Some kinds list their tokens in order instead of naming ids.
	for (const id of [...(Array.isArray(vocab) ? [] : Object.values(vocab)), ...added.map((token) => token.id)]) {
		if (!Number.isInteger(id) || id < 0 || id >= MOST_TOKENS) throw new Error(`a token has the impossible id ${String(id).slice(0, 40)}`);
	}
}

/** A part and those inside it. */
const partsOf = (part?: Part | null): Part[] =>
	part ? [part, ...[...(part.decoders ?? []), ...(part.pretokenizers ?? [])].flatMap(partsOf)] : [];

function isByteLevel(json: TokenizerJson): boolean {
	return [...partsOf(json.decoder), ...partsOf(json.pre_tokenizer)].some(({ type }) => type === 'ByteLevel');
}

function addsSpace(json: TokenizerJson): boolean {
	return partsOf(json.decoder).some(({ type, start, prepend_scheme: scheme, add_prefix_space: prefix }) =>
		(type === 'Strip' && (start ?? 0) > 0) || (type === 'Metaspace' && (scheme ?? (prefix === false ? 'never' : 'always')) !== 'never'));
}
