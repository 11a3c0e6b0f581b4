/** What an arm's keys and values were before any method touched them, for the pictures of loss. */
import type { ArmCache } from '$lib/cache/arm-cache.ts';

export type Numbers = { keys: Float32Array; values: Float32Array };

export class ExactNumbers {
	/** Tokens after the prompt: by layer and head, one entry a token. */
	readonly #own: Numbers[][] = [];
	readonly #angles: number[] = [];
	readonly #kvHeads: number;

	/** `prompt` is the arm's cache before its methods acted. */
	constructor(readonly prompt: ArmCache, readonly n: number) {
		this.#kvHeads = prompt.shape.kvHeads;
	}

	/** Takes the newest slot of every head; to be called before methods act on it. */
	take(arm: ArmCache): void {
		const { length, slots } = arm.layers[0].heads[0];
		this.#angles.push(slots.columns.angle[length - 1]);
		for (const layer of arm.layers) {
			layer.heads.forEach((head, h) => {
				const at = layer.layer * this.#kvHeads + h;
				(this.#own[at] ??= []).push({
					keys: head.numbers(head.length - 1, 'K').slice(), values: head.numbers(head.length - 1, 'V').slice()
				});
			});
		}
	}

	/** The angle at which the key of a position was computed: not the position where keys are re-rotated. */
	angle(position: number): number {
		return position < this.n ? position : this.#angles[position - this.n];
	}

	/** Exact key or value of a position, as it was computed. */
	of(layer: number, head: number, position: number, which: 'K' | 'V'): Float32Array {
		if (position < this.n) return this.prompt.layers[layer].heads[head].numbers(position, which);
		const own = this.#own[layer * this.#kvHeads + head][position - this.n];
		return which === 'K' ? own.keys : own.values;
	}
}
