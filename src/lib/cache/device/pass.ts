/** What a pass through the working copy is asked for, holds, and gives back. */
import * as tf from '@tensorflow/tfjs-core';
import type { Pass } from '$lib/model/types.ts';
import type { PackedSegment } from '$lib/ops/attention-packed/index.ts';
import { readMany, type Piece } from '$lib/ops/index.ts';
import type { LayerStore } from '../layer-cache.ts';
import { joinAttention, sumOverTokens, type JoinShape, type Parts } from './join.ts';
import type { PackedCopy } from './packed-copy.ts';
import type { Rows } from './rows.ts';
import type { LayerSeen } from './seen.ts';

/**
 * Called in each layer before a row reads it. When a token is appended its slot is already in the
 * layer; when the last prompt token is run once more, the layer is as it was (nothing is stored).
 */
export type Attending = (layer: LayerStore, query: (queryHead: number) => Float32Array) => void;

export interface PassWants {
	/** Attention of the last token over the slots; of all rows, or of neighbouring ones, and no more is read back. */
	attention?: boolean | { firstRow: number; rows: number };
	/** Rotated queries of the last w tokens. */
	queries?: { last: number } | 'all';
	/** Column sums of the pass's attention. */
	attentionSums?: boolean;
	keysBefore?: boolean;
	/** By row; absent rows have nothing to say. */
	attending?: ReadonlyMap<number, Attending>;
}

/**
 * `transient`: the last token that was read is run once more. Its stored slot is hidden, its own
 * key and value are visible, nothing is stored.
 * `append`: new tokens, one or several a row, are stored exactly.
 */
export type PassKind = 'transient' | 'append';

export interface Running {
	kind: PassKind;
	pass: Pass;
	wants: PassWants;
	/** Logical position of the first token of each row. */
	first: Int32Array;
	held: Partial<Record<Held, tf.Tensor>>[];
	/** Pages that each layer read, and their probabilities. */
	packed: { segments: PackedSegment[]; shares: tf.Tensor[] }[];
	/** Places of the pass's tokens: [layer][row x kvHeads + head]. */
	at: Int32Array[];
	/** Layers whose new slots are in the stores already. */
	stored: boolean[];
}

/** Tensors of a pass that `finish` reads. */
type Held = keyof LayerSeen | 'keys' | 'values' | 'logExact';
export type Read = Partial<Record<Held, Float32Array>>;

/** All that was held, and `also`, in one read; attention over all places. Frees the tensors that were held. */
export async function readHeld(running: Running, { arms, copies, places, shape }: Rows, also: tf.Tensor[]): Promise<{ layers: Read[]; also: Float32Array[] }> {
	const names = running.held.map((held) => Object.keys(held) as Held[]);
	const tensors = running.held.flatMap((held, layer) => [...names[layer].map((name) => held[name]!), ...(running.packed[layer]?.shares ?? [])]);
	const { first, rows } = attentionRows(running, arms.length);
	const rowsShape = { first, rows, heads: shape.heads, kvHeads: shape.kvHeads, tokens: running.pass.tokens, places };
	const ofRows = (tensor: tf.Tensor): Piece => ({ tensor, from: (first * tensor.size) / arms.length, size: (rows * tensor.size) / arms.length });
	const pieces = running.held.flatMap((held, layer) => [
		...names[layer].map((name) => (name === 'attention' ? ofRows(held.attention!) : held[name]!)), ...(running.packed[layer]?.shares ?? []).map(ofRows)
	]);
	try {
		const numbers = await readMany([...also, ...pieces]);
		let next = also.length;
		const layers = names.map((list, layer) => {
			const read: Read = Object.fromEntries(list.map((name) => [name, numbers[next++]]));
			const shares = (running.packed[layer]?.segments ?? []).map((segment) => ({ segment, shares: numbers[next++] }));
			return joined(running, read, shares, { ...rowsShape, capacity: copies[layer].capacity }, copies[layer].packed);
		});
		return { layers, also: numbers.slice(0, also.length) };
	} finally {
		tf.dispose(tensors);
		running.held = [];
		running.packed = [];
	}
}

/** The rows whose attention is read back: all, where column sums are made of it. */
export function attentionRows({ wants: { attention: wanted, attentionSums } }: Running, all: number): { first: number; rows: number } {
	return typeof wanted === 'object' && !attentionSums ? { first: wanted.firstRow, rows: wanted.rows } : { first: 0, rows: all };
}

/** One layer's numbers with its attention over all places, where it was asked for. */
function joined({ wants }: Running, read: Read, packed: Parts['packed'], shape: JoinShape, copy: PackedCopy): Read {
	const { logExact, ...seen } = read;
	if (read.attention) {
		seen.attention = joinAttention(shape, { exact: read.attention, logExact, logAll: read.logBefore, packed }, copy);
		if (wants.attentionSums && !read.attentionSums) seen.attentionSums = sumOverTokens(seen.attention, shape.tokens, shape.places);
		if (!wants.attention) delete seen.attention;
	} else if (read.attentionSums) {
		seen.attentionSums = joinAttention({ ...shape, tokens: 1 }, { exact: read.attentionSums, packed }, copy);
	}
	return seen;
}
