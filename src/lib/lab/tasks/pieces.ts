/**
 * A training text is a list of pieces, each with the loss weight of its tokens. Pieces end where the
 * tokenizer splits anyway, so that tokens of the pieces are the tokens of the text.
 */
export interface Piece {
	text: string;
	weight: number;
	/** Token numbers instead of text: rows of random tokens are not text at all. */
	ids?: number[];
	/** The earlier piece that this one repeats: where a model that recalls has to look. */
	from?: Piece;
	/** The earlier piece that decides this one, where it repeats none: where a model has to look as well. */
	cue?: Piece;
}

/** What predicting a token is worth. Nothing is learnt from what cannot be foreseen. */
export const WEIGHT = {
	fact: 0.5, value: 0.3, number: 0.25, code: 0.05, filler: 0.6, story: 1, question: 0.3,
	answer: 4, reply: 2, copied: 2, person: 1.5, random: 0.03, mark: 1
} as const;

export type CountTokens = (text: string) => number;

/** Collects the pieces of one document and knows how much room is left. */
export class Writer {
	readonly pieces: Piece[] = [];
	private used = 0;
	constructor(
		readonly room: number,
		private readonly count: CountTokens
	) {}
	get left(): number {
		return this.room - this.used;
	}
	get text(): string {
		return this.pieces.map((piece) => piece.text).join('');
	}
	/** Tokens of `text` as this document's tokenizer counts them. */
	size(text: string): number {
		return this.count(text);
	}
	add(text: string, weight: number, from?: Piece, cue?: Piece): Piece {
		const piece: Piece = { text, weight, ...(from && { from }), ...(cue && { cue }) };
		if (!text) return piece;
		this.pieces.push(piece);
		this.used += this.count(text);
		return piece;
	}
	/** The same for token numbers. */
	addIds(ids: number[], weight: number): void {
		this.pieces.push({ text: '', weight, ids });
		this.used += ids.length;
	}
	/** A sentence that follows on: with a space before it, unless it opens the text or a line. */
	sentence(text: string, weight: number): void {
		this.add(this.gap() + text, weight);
	}
	gap(): string {
		const last = this.pieces.at(-1);
		return !last || last.text.endsWith('\n') ? '' : ' ';
	}
}
