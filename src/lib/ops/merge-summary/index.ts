/**
 * Merges attention over slots with an affine summary of pairs that are gone, by log-sum-exp:
 * log Z = logCount + scale q.meanKey, f(q) = meanValue + matrix q (scale folded into the matrix).
 */
import type { Tensor } from '@tensorflow/tfjs-core';
import { registerOp, runOp } from '../kernel.ts';
import { stock } from './stock.ts';
import { webgpu } from './kernel.wgsl.ts';

registerOp({ name: 'WinnowMergeSummary', webgpu, stock });

/** One summary a row and KV head. A logCount of -1e29 or less means that there is none. */
export interface SummaryTensors {
	/** [batch, kvHeads] */
	logCount: Tensor;
	/** [batch, kvHeads, headDim] */
	meanKey: Tensor;
	/** [batch, kvHeads, headDim] */
	meanValue: Tensor;
	/** [batch, kvHeads, headDim, headDim], row = value channel. */
	matrix: Tensor;
}

/**
 * `out` and `query` [batch, heads, tokens, headDim], `logSumExp` [batch, heads, tokens] -> the same
 * two shapes. Where there is no summary, both come back bit for bit.
 * The share of the summary is 1 - exp(old logSumExp - new logSumExp).
 */
export function mergeSummary(out: Tensor, logSumExp: Tensor, query: Tensor, summary: SummaryTensors): { out: Tensor; logSumExp: Tensor } {
	const [merged, log] = runOp<Tensor[]>('WinnowMergeSummary', { out, logSumExp, query, ...summary });
	return { out: merged, logSumExp: log };
}
