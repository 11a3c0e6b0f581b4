/**
 * What was read from the caches in every step, kept small: arms as halves over the slots that they
 * had, the full cache as its queries only (its keys never go away, so its attention can be computed
 * again when a picture asks).
 */
import type { Seen } from '$lib/cache/device/index.ts';
import type { HeadMasses } from '$lib/documents/head-types.ts';
import type { ModelShape } from '$lib/documents/trace.ts';
import { fromHalf, toHalf } from '$lib/numerics/half.ts';
import type { Readings } from './readings.ts';

interface ArmStep {
	/** [layers x kvHeads] */
	positions: Uint16Array[];
	/** [layers x heads] */
	attention: Uint16Array[];
	/** [layers x heads] share of a summary. */
	summary: Float32Array;
	/** [layers x heads] mass lost, once it was asked for. */
	lost?: Float32Array;
}

/** A step of the reference run. */
export interface ReferenceStep {
	/** [layers x heads x headDim] */
	queries: Float32Array;
	/** Positions of the prompt from which the token written was copied. */
	copiedFrom: readonly number[];
	/** Where its heads looked, once it was asked for: by head. */
	masses?: HeadMasses[];
}

export class AttentionLog {
	readonly #arms: ArmStep[][];
	/** [arm][step] -> [layers x heads x headDim]; arms may share arrays. */
	readonly #queries: Float32Array[][];
	readonly reference: ReferenceStep[] = [];

	constructor(readonly model: ModelShape, arms: number) {
		this.#arms = Array.from({ length: arms }, () => []);
		this.#queries = Array.from({ length: arms }, () => []);
	}

	steps(arm: number): number {
		return this.#arms[arm].length;
	}

	/** Adds a step of one arm: its own readings and the queries of the full cache fed the same tokens. */
	add(arm: number, own: Readings, queries: Float32Array): void {
		const { layers, heads, kvHeads } = this.model;
		const step: ArmStep = { positions: [], attention: [], summary: new Float32Array(layers * heads) };
		for (let layer = 0; layer < layers; layer++) {
			const readable = Array.from({ length: kvHeads }, (_, head) => own.readable(layer, head));
			step.positions.push(...readable.map((positions) => Uint16Array.from(positions)));
			for (let head = 0; head < heads; head++) {
				step.attention.push(toHalf(own.attentionOver(layer, head, readable[Math.floor((head * kvHeads) / heads)])));
				step.summary[layer * heads + head] = own.summaryShare(layer, head);
			}
		}
		this.#arms[arm].push(step);
		this.#queries[arm].push(queries);
	}

	/** The arm's attention at the positions 0 … span-1 (0 where it had no slot), written into `out` at `offset`. */
	arm(arm: number, step: number, layer: number, queryHead: number, out: Float32Array, offset: number): void {
		const { heads, kvHeads } = this.model;
		const { positions, attention } = this.#arms[arm][step];
		const at = positions[layer * kvHeads + Math.floor((queryHead * kvHeads) / heads)];
		const row = fromHalf(attention[layer * heads + queryHead]);
		for (let slot = 0; slot < at.length; slot++) out[offset + at[slot]] = row[slot];
	}

	/** What one position received of the arm's attention; 0 where it had no such slot. */
	received(arm: number, step: number, layer: number, queryHead: number, position: number): number {
		const { heads, kvHeads } = this.model;
		const { positions, attention } = this.#arms[arm][step];
		const slot = positions[layer * kvHeads + Math.floor((queryHead * kvHeads) / heads)].indexOf(position);
		return slot < 0 ? 0 : fromHalf(attention[layer * heads + queryHead].subarray(slot, slot + 1))[0];
	}

	/** 1 for each position that the arm could read in the step. */
	present(arm: number, step: number, layer: number, queryHead: number, span: number): Uint8Array {
		const { heads, kvHeads } = this.model;
		const present = new Uint8Array(span);
		for (const position of this.#arms[arm][step].positions[layer * kvHeads + Math.floor((queryHead * kvHeads) / heads)]) present[position] = 1;
		return present;
	}

	/** Mass lost of all heads in a step, [layers x heads]: worked out once, since a step does not change. */
	lost(arm: number, step: number, workOut: () => Float32Array): Float32Array {
		return (this.#arms[arm][step].lost ??= workOut());
	}

	summaryMass(arm: number, step: number, layer: number, queryHead: number): number {
		return this.#arms[arm][step].summary[layer * this.model.heads + queryHead];
	}

	/** Query of the full cache fed the arm's tokens, [headDim]. */
	query(arm: number, step: number, layer: number, queryHead: number): Float32Array {
		const d = this.model.headDim;
		const at = (layer * this.model.heads + queryHead) * d;
		return this.#queries[arm][step].subarray(at, at + d);
	}
}

/** All queries of one row of a pass, [layers x heads x headDim]. */
export function queriesOf(model: ModelShape, seen: Seen, row: number): Float32Array {
	const out = new Float32Array(model.layers * model.heads * model.headDim);
	for (let layer = 0; layer < model.layers; layer++) {
		for (let head = 0; head < model.heads; head++) out.set(seen.query(row, layer, head), (layer * model.heads + head) * model.headDim);
	}
	return out;
}
