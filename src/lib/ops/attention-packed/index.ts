/**
 * Attention over places that are kept as codes: the codes are read as they are, nothing is decoded
 * into memory. Together with what was read from elsewhere (`onto`), by log-sum-exp.
 */
import type { NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import { registerOp, runOp } from '../kernel.ts';
import type { PackedSegment } from './pool.ts';
import { stock } from './stock.ts';
import { webgpu } from './webgpu.ts';

registerOp({ name: 'WinnowAttentionPacked', webgpu, stock });

export { codeWords, formatName, HIDDEN, rulerWord, type Bits, type PackedFormat, type SideFormat } from './format.ts';
export { PackedPool, type PackedSegment } from './pool.ts';

export interface PackedOptions {
	/** What the same queries read elsewhere: out [batch, heads, tokens, headDim] and logSumExp [batch, heads, tokens], or both as `attentionTogether` gives them. */
	onto?: { out: Tensor; logSumExp: Tensor } | { together: Tensor };
	/** Leave out the log-sum-exp of all (saves a dispatch on WebGPU). Not with probabilities. */
	outOnly?: boolean;
	/** Also return probabilities over the packed places, of all that was read together. */
	probabilities?: boolean;
}

export interface PackedResult {
	/** [batch, heads, tokens, headDim]; 0 where nothing could be read. */
	out: Tensor;
	/** [batch, heads, tokens]; -1e30 where nothing could be read. Present unless `outOnly`. */
	logSumExp?: Tensor;
	/** One a segment, [batch, heads, tokens, slots x rows of a page]: see `PackedPool` for places. */
	probabilities?: Tensor[];
}

/** What the kernels are told. Results: out, logSumExp (unless `outOnly`), then probabilities of each segment. */
export interface PackedAttrs {
	segments: PackedSegment[];
	outOnly: boolean;
	probabilities: boolean;
}

/**
 * `query` [batch, heads, tokens, headDim]; query head h reads KV head h / (heads / kvHeads). A place
 * is hidden if its bias is <= -1e29. Every token of the pass sees all packed places. Rows without
 * pages keep the bits of `onto`. The caller disposes every tensor of the result.
 * Throws RangeError when a segment does not fit the query, or when probabilities are wanted with `outOnly`.
 */
export function attentionPacked(query: Tensor, segments: PackedSegment[], { onto, probabilities = false, outOnly = false }: PackedOptions = {}): PackedResult {
	const [batch, heads, , headDim] = query.shape;
	for (const { batch: rows, kvHeads, format } of segments) {
		if (rows !== batch || heads % kvHeads !== 0 || format.headDim !== headDim) {
			throw new RangeError(`packed places of ${rows} rows, ${kvHeads} KV heads of ${format.headDim} do not fit a query of ${query.shape.join(' x ')}`);
		}
	}
	if (outOnly && probabilities) throw new RangeError('probabilities need the log-sum-exp of all that is read');
	const inputs: NamedTensorMap = { query, ...onto };
	segments.forEach(({ pool, table }, i) => Object.assign(inputs, { [`pool${i}`]: pool, [`table${i}`]: table }));
	const attrs: PackedAttrs = { segments, probabilities, outOnly };
	const [out, ...rest] = runOp<Tensor[]>('WinnowAttentionPacked', inputs, { ...attrs });
	if (outOnly) return { out };
	const [logSumExp, ...shares] = rest;
	return { out, logSumExp, ...(probabilities ? { probabilities: shares } : {}) };
}
