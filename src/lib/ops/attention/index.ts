/**
 * Attention over the slots of a cache, with a bias a slot:
 * softmax(q K^T / sqrt d + bias) V. Grouped queries: query head h reads KV head h / (heads / kvHeads).
 *
 * A place is hidden if its bias is <= -1e29, or if it was appended in this pass after the query's
 * own token. Places appended in this pass count with bias 0, whatever `bias` holds there.
 */
import type { Tensor } from '@tensorflow/tfjs-core';
import { checkPlaces } from '../append-slots/index.ts';
import { registerOp, runOp } from '../kernel.ts';
import { stock } from './stock.ts';
import { webgpu } from './kernel.wgsl.ts';

registerOp({ name: 'WinnowAttention', webgpu, stock });

export interface AttentionOptions {
	/** Also return the probabilities, [batch, heads, tokens, capacity]. */
	probabilities?: boolean;
	/** Also return their sums over the tokens of the pass, [batch, heads, capacity]; no T x C array is made. */
	columnSums?: boolean;
	/** Leave out the log-sum-exp (saves two dispatches on WebGPU). */
	outOnly?: boolean;
	/** Places from this one on are hidden from every row, so nothing need look at them; all places where it is left out. */
	used?: number;
}

export interface AttentionResult {
	/** [batch, heads, tokens, headDim] */
	out: Tensor;
	/** [batch, heads, tokens], natural log of the softmax denominator. Present unless `outOnly`. */
	logSumExp?: Tensor;
	probabilities?: Tensor;
	columnSums?: Tensor;
}

/**
 * `query` [batch, heads, tokens, headDim]; `keys`, `values` [batch, kvHeads, capacity, headDim];
 * `bias` [batch, kvHeads, capacity]; `at` (batch x kvHeads) is where this pass was appended.
 * The caller disposes every tensor of the result.
 */
export function attention(query: Tensor, keys: Tensor, values: Tensor, bias: Tensor, at: Int32Array, options: AttentionOptions = {}): AttentionResult {
	const [batch, kvHeads, capacity] = keys.shape;
	checkPlaces(at, batch * kvHeads, (query.shape as number[])[2], capacity);
	const probabilities = options.probabilities ?? false;
	const columnSums = options.columnSums ?? false;
	const logSumExp = !options.outOnly;
	const attrs: AttentionAttrs = { at, probabilities, columnSums, logSumExp, used: options.used ?? capacity };
	const results = runOp<Tensor[]>('WinnowAttention', { query, keys, values, bias }, { ...attrs });
	const next = results[Symbol.iterator]();
	const take = (wanted: boolean) => (wanted ? (next.next().value as Tensor) : undefined);
	return { out: take(true)!, logSumExp: take(logSumExp), probabilities: take(probabilities), columnSums: take(columnSums) };
}

/**
 * `attention` with what it read and the log-sum-exp in one tensor, [batch x heads x tokens, headDim + 1], for an op
 * that goes on from both: on WebGPU it saves the two programs that take them apart.
 */
export function attentionTogether(query: Tensor, keys: Tensor, values: Tensor, bias: Tensor, at: Int32Array, used?: number): Tensor {
	const [batch, kvHeads, capacity] = keys.shape;
	checkPlaces(at, batch * kvHeads, (query.shape as number[])[2], capacity);
	const attrs: AttentionAttrs = { at, probabilities: false, columnSums: false, logSumExp: true, together: true, used: used ?? capacity };
	return runOp<Tensor[]>('WinnowAttention', { query, keys, values, bias }, { ...attrs })[0];
}

/** What the kernels are told. Results come in this order: out, logSumExp, probabilities, columnSums; or one, `together`. */
export interface AttentionAttrs {
	at: Int32Array;
	probabilities: boolean;
	columnSums: boolean;
	logSumExp: boolean;
	together?: boolean;
	used: number;
}
