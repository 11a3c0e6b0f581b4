import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Attrs, Inputs } from '../kernel.ts';
import { coordinates, flat, runProgram, runForResults, type Kernel } from '../program.ts';
import type { AllHeadsLayout, HeadsLayout } from './index.ts';

/** One thread an output number; the source index is all that differs between the directions. */
export function webgpu(backend: WebGPUBackend, { x, cos, sin }: Inputs, attrs: Attrs): TensorInfo {
	const { batch, tokens, heads, headDim, first, direction } = attrs as unknown as HeadsLayout & { direction: string };
	const size = batch * tokens * heads * headDim;
	const source = direction === 'split'
		? '(b * uniforms.tokens + t) * uniforms.columns + uniforms.first + h * uniforms.headDim'
		: '((b * uniforms.heads + h) * uniforms.tokens + t) * uniforms.headDim';
	const rows: [string, string][] = [['h', 'uniforms.heads'], ['t', 'uniforms.tokens']];
	if (direction === 'join') rows.reverse();
	const inputs: Kernel['inputs'] = [['x', x]];
	if (cos) inputs.push(['c1', cos], ['s1', sin]);
	return runProgram(backend, flat({
		key: `heads_${direction}_${cos ? 'rope' : 'plain'}`,
		inputs,
		result: direction === 'join' ? [batch * tokens, heads * headDim] : [batch, heads, tokens, headDim],
		ints: { heads, tokens, headDim, first, columns: x.shape[x.shape.length - 1] },
		size,
		body: () => `
	${coordinates('i', 'b', ...rows, ['c', 'uniforms.headDim'])}
	let base = ${source};
	${cos ? `
	let half = uniforms.headDim / 2;
	let other = select(c - half, c + half, c < half);
	let angle = (b * uniforms.tokens + t) * uniforms.headDim + c;
	result[i] = x[base + c] * c1[angle] + x[base + other] * s1[angle];` : 'result[i] = x[base + c];'}`
	}));
}

/** One thread a column of a row: it is a number of the query, the key or the value. */
export function webgpuOfAll(backend: WebGPUBackend, { x, cos, sin }: Inputs, attrs: Attrs): TensorInfo[] {
	const { batch, tokens, heads, kvHeads, headDim } = attrs as unknown as AllHeadsLayout;
	const all = heads + 2 * kvHeads;
	const size = batch * tokens * all * headDim;
	const inputs: Kernel['inputs'] = [['x', x]];
	if (cos) inputs.push(['c1', cos], ['s1', sin]);
	const ofKv = [batch, kvHeads, tokens, headDim];
	return runForResults(backend, flat({
		key: `heads_all_${cos ? 'rope' : 'plain'}`,
		inputs,
		result: [batch, heads, tokens, headDim],
		more: [['keys', ofKv], ['vals', ofKv]],
		ints: { heads, kvHeads, all, tokens, headDim },
		size,
		body: () => `
	${coordinates('i', 'b', ['t', 'uniforms.tokens'], ['h', 'uniforms.all'], ['c', 'uniforms.headDim'])}
	let heads = uniforms.heads;
	let kvHeads = uniforms.kvHeads;
	if (h >= heads + kvHeads) {
		vals[((b * kvHeads + h - heads - kvHeads) * uniforms.tokens + t) * uniforms.headDim + c] = x[i];
		return;
	}
	${cos ? `let half = uniforms.headDim / 2;
	let angle = (b * uniforms.tokens + t) * uniforms.headDim + c;
	let value = x[i] * c1[angle] + x[select(i - half, i + half, c < half)] * s1[angle];` : 'let value = x[i];'}
	if (h < heads) { result[((b * heads + h) * uniforms.tokens + t) * uniforms.headDim + c] = value; }
	else { keys[((b * kvHeads + h - heads) * uniforms.tokens + t) * uniforms.headDim + c] = value; }`
	}));
}
