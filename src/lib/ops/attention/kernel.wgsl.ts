import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Attrs, Inputs } from '../kernel.ts';
import { flat, runProgram } from '../program.ts';
import { profile } from '../profile.ts';
import type { AttentionAttrs } from './index.ts';
import { describe } from './pass.ts';
import { prefill } from './prefill.wgsl.ts';
import { readOut } from './read-out.wgsl.ts';
import { columnSums, probabilities } from './shares.wgsl.ts';

/** From so many tokens a row on, queries share what is read of the cache. */
const MANY_TOKENS = 16;

/** Read-out (with its log-sum-exp packed behind each row), then its two parts, probabilities, sums. */
export function webgpu(backend: WebGPUBackend, inputs: Inputs, attrs: Attrs): TensorInfo[] {
	const wanted = attrs as unknown as AttentionAttrs;
	const pass = describe(inputs, wanted.at, wanted.used);
	const [batch, heads, tokens, headDim] = inputs.query.shape;
	const needsLog = wanted.logSumExp || wanted.probabilities || wanted.columnSums;
	const read = (withLog: boolean) => (tokens < MANY_TOKENS ? readOut : prefill)(backend, pass, withLog, profile());
	const results: TensorInfo[] = [];
	let log: TensorInfo | null = null;
	if (wanted.together) {
		results.push(read(true));
	} else if (needsLog) {
		const packed = read(true);
		results.push(column(backend, packed, [batch, heads, tokens, headDim], 0));
		log = column(backend, packed, [batch, heads, tokens], headDim);
		backend.disposeData(packed.dataId);
		if (wanted.logSumExp) results.push(log);
	} else {
		results.push(read(false));
	}
	if (wanted.probabilities) results.push(probabilities(backend, pass, log!));
	if (wanted.columnSums) results.push(columnSums(backend, pass, log!, profile()));
	if (log && !wanted.logSumExp) backend.disposeData(log.dataId);
	return results;
}

/** Columns `first`… of packed rows as a tensor of their own. */
function column(backend: WebGPUBackend, packed: TensorInfo, shape: number[], first: number): TensorInfo {
	const size = shape.reduce((a, b) => a * b, 1);
	return runProgram(backend, flat({
		key: 'attention_column',
		inputs: [['x', packed]],
		result: shape,
		ints: { width: size / packed.shape[0], stride: packed.shape[1], first },
		size,
		body: () => `result[i] = x[(i / uniforms.width) * uniforms.stride + uniforms.first + i % uniforms.width];`
	}));
}
