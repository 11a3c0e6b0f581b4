/**
 * What a scorer may ask about the text so far, remembered while it is written, so that a wrapper can
 * have the cache scored again at any step. One for a layer.
 */
import type { LayerCache, PackedPart } from '$lib/cache/types.ts';
import { toHalf } from '$lib/numerics/half.ts';
import type { Needs, Params, PromptView, StepView } from './define.ts';
import { headsOf } from './slots.ts';
import { scorerNeeds } from './wrap.ts';

const asksQueries = (needs: Needs): boolean => Boolean(needs.queries || needs.queriesBefore);

/** What a wrapper with a memory needs: the prompt's last `rows` queries and those of the steps, attention of both, where its scorer asks for any. */
export function stepNeeds(params: Params, inner: ((spec: unknown) => Needs) | undefined, rows: number): Needs {
	const { queries, queriesBefore, ...others } = scorerNeeds(params, inner);
	return {
		...others,
		...(others.attentionSums ? { stepAttention: true } : {}),
		...(asksQueries({ queries, queriesBefore }) ? { queries: { last: rows }, stepQuery: true } : {})
	};
}

/** Bytes that the memory takes for one KV head: fixed, and a slot. `group`: query heads of a KV head. */
export function memoryBytes(needs: Needs, rows: number, group: number, headDim: number): { overhead: number; perSlot: number } {
	return { overhead: asksQueries(needs) ? rows * group * headDim * 2 : 0, perSlot: needs.attentionSums ? 4 * group : 0 };
}

export class Recent {
	/** Newest rotated queries by query head, oldest first. */
	readonly #queries: Float32Array[][] = [];
	/** Attention received so far by query head and position. */
	readonly #sums: Float64Array[] = [];
	#n: number;
	#logits: () => Float32Array;

	/** `needs` are the scorer's own; `rows` queries are remembered. */
	constructor(private readonly prompt: PromptView, needs: Needs, private readonly rows: number) {
		this.#n = prompt.n;
		this.#logits = prompt.nextLogits;
		for (let h = 0; h < prompt.model.heads; h++) {
			if (asksQueries(needs)) {
				const all = prompt.queries(h);
				const d = prompt.model.headDim;
				this.#queries.push(Array.from({ length: all.length / d }, (_, i) => all.slice(i * d, (i + 1) * d)).slice(-rows));
			}
			if (needs.attentionSums) this.#sums.push(Float64Array.from(prompt.attentionSums(h)));
		}
	}

	step(seen: StepView): void {
		this.#n = seen.position + 1;
		this.#logits = seen.nextLogits;
		const group = seen.model.heads / seen.model.kvHeads;
		this.#queries.forEach((rows, h) => {
			rows.push(Float32Array.from(seen.query(h)));
			if (rows.length > this.rows) rows.shift();
		});
		this.#sums.forEach((old, h) => {
			const sums = new Float64Array(this.#n);
			sums.set(old);
			const attention = seen.attention(h);
			seen.positions(Math.floor(h / group)).forEach((position, slot) => (sums[position] += attention[slot]));
			this.#sums[h] = sums;
		});
	}

	/** The text so far as a scorer sees it. Of queries there are the remembered ones; keys and values that are gone read 0. */
	view(layer: LayerCache): PromptView {
		const { prompt } = this;
		const n = this.#n;
		const d = layer.headDim;
		const queries = (h: number): Float32Array => Float32Array.from(this.#queries[h].flatMap((row) => Array.from(row)));
		const spread = (block: Float32Array, head: number): Float32Array => {
			const all = new Float32Array(n * d);
			layer.positions(head).forEach((position, slot) => all.set(block.subarray(slot * d, (slot + 1) * d), position * d));
			return all;
		};
		const before = (rows: Float32Array): Float32Array => {
			const count = rows.length / d;
			return prompt.rope.rotate(rows, Int32Array.from({ length: count }, (_, i) => count - n - i), d);
		};
		return {
			...prompt, n, queries, nextLogits: this.#logits,
			keys: (head) => spread(layer.keys(head), head),
			keysBefore: (head) => before(spread(layer.keys(head), head)),
			values: (head) => spread(layer.values(head), head),
			queriesBefore: (h) => before(queries(h)),
			attentionSums: (h) => this.#sums[h],
			reading(reading) {
				const made = prompt.reading(reading);
				const columns = (h: number, block?: number) => {
					const all = new Float64Array(n);
					all.set(made.columns(h, block));
					return all;
				};
				return { ...made, n: made.n, blocks: made.blocks, columns };
			}
		};
	}

	/** The arrays that it consists of: queries in halves, as keys are, and a sum for each slot and query head. */
	parts(layer: LayerCache): PackedPart[] {
		const parts: PackedPart[] = [];
		if (this.#queries.length) parts.push({ item: 'state', array: toHalf(this.#queries.flat().flatMap((row) => Array.from(row))) });
		if (this.#sums.length) {
			const group = this.#sums.length / layer.kvHeads;
			const values = headsOf(layer).flatMap((head) => Array.from(layer.positions(head)).flatMap((position) =>
				this.#sums.slice(head * group, (head + 1) * group).map((sums) => sums[position])));
			parts.push({ item: 'state', array: Float32Array.from(values) });
		}
		return parts;
	}
}
