/** One row of the batch as text: what it has said, and how it chooses its next token. */
import type { GenerateSpec } from '$lib/documents/experiment.ts';
import { sampleToken, type Tokenizer } from '$lib/model/index.ts';
import { random, type Random } from '$lib/numerics/random.ts';
import type { TokenTexts } from './token-texts.ts';

export class Row {
	/** It has taken a token that ends a text. */
	ended = false;
	readonly #tokens: number[] = [];
	readonly #random: Random;
	readonly #stream: ReturnType<Tokenizer['stream']>;

	constructor(readonly texts: TokenTexts, readonly generate: GenerateSpec) {
		this.#random = random(generate.seed);
		this.#stream = texts.tokenizer.stream();
	}

	/** The next token of these logits. Draws one random number unless the temperature is 0. */
	choose(logits: Float32Array): number {
		return sampleToken(logits, this.generate, this.#random);
	}

	/** Takes a token; gives back its text, as far as it completes characters. */
	push(token: number): string {
		this.#tokens.push(token);
		return this.texts.isToken(token) ? this.#stream.push(token) : this.texts.of(token);
	}

	get last(): number {
		return this.#tokens[this.#tokens.length - 1];
	}

	/** All that was said, without special tokens. */
	get text(): string {
		return this.texts.plain(this.#tokens);
	}
}
