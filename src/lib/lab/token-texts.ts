/** Texts of tokens for the page. Models may have more logits than their tokenizer has tokens. */
import type { Tokenizer } from '$lib/model/index.ts';

export class TokenTexts {
	readonly #known = new Map<number, string>();
	readonly #size: number;

	constructor(readonly tokenizer: Tokenizer) {
		this.#size = tokenizer.size;
	}

	isToken(id: number): boolean {
		return id < this.#size && this.tokenizer.tokenOf(id) !== undefined;
	}

	/** Text of a token that stands alone, remembered. */
	readonly of = (id: number): string => {
		let text = this.#known.get(id);
		if (text === undefined) this.#known.set(id, (text = this.isToken(id) ? this.tokenizer.texts([id])[0] : `<${id}>`));
		return text;
	};

	/** One text a token; their concatenation is the text. */
	all(ids: readonly number[]): string[] {
		return ids.every((id) => this.isToken(id)) ? this.tokenizer.texts(ids) : ids.map(this.of);
	}

	/** The text without special tokens. */
	plain(ids: readonly number[]): string {
		return this.tokenizer.decode(ids.filter((id) => this.isToken(id)));
	}
}
