import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Attrs, Inputs } from '../kernel.ts';
import { flatGroups, flatIndex, integers, runProgram } from '../program.ts';
import type { AttentionAttrs } from './index.ts';
import { describe, type PassDescription } from './pass.ts';
import { readOut } from './read-out.wgsl.ts';

/** Up to four programs: read-out (with its log-sum-exp packed behind each row), split, probabilities, sums. */
export function webgpu(backend: WebGPUBackend, inputs: Inputs, attrs: Attrs): TensorInfo[] {
	const wanted = attrs as unknown as AttentionAttrs;
	const at = integers(backend, wanted.at);
	const pass = describe(inputs, at);
	const [batch, heads, tokens, headDim] = inputs.query.shape;
	const needsLog = wanted.logSumExp || wanted.probabilities || wanted.columnSums;
	const results: TensorInfo[] = [];
	let log: TensorInfo | null = null;
	if (needsLog) {
		const packed = readOut(backend, pass, true);
		results.push(column(backend, packed, [batch, heads, tokens, headDim], 0));
		log = column(backend, packed, [batch, heads, tokens], headDim);
		backend.disposeData(packed.dataId);
		if (wanted.logSumExp) results.push(log);
	} else {
		results.push(readOut(backend, pass, false));
	}
	if (wanted.probabilities) results.push(probabilities(backend, pass, log!));
	if (wanted.columnSums) results.push(columnSums(backend, pass, log!));
	if (log && !wanted.logSumExp) backend.disposeData(log.dataId);
	backend.disposeData(at.dataId);
	return results;
}

/** Columns `first`… of packed rows as a tensor of their own. */
function column(backend: WebGPUBackend, packed: TensorInfo, shape: number[], first: number): TensorInfo {
	const size = shape.reduce((a, b) => a * b, 1);
	return runProgram(backend, {
		key: 'attention_column',
		inputs: [['x', packed]],
		result: shape,
		ints: { width: size / packed.shape[0], stride: packed.shape[1], first, size },
		groups: flatGroups(size, 64),
		threads: 64,
		code: `
fn main() {
	let i = ${flatIndex(64)};
	if (i >= uniforms.size) { return; }
	result[i] = x[(i / uniforms.width) * uniforms.stride + uniforms.first + i % uniforms.width];
}`
	});
}

/** One thread a probability. */
function probabilities(backend: WebGPUBackend, pass: PassDescription, log: TensorInfo): TensorInfo {
	const { batch, heads, tokens, capacity } = pass;
	const size = batch * heads * tokens * capacity;
	return runProgram(backend, {
		key: `attention_p_${pass.width}`,
		inputs: [...pass.inputs, ['logs', log]],
		result: [batch, heads, tokens, capacity],
		ints: { ...pass.ints, size },
		floats: pass.floats,
		groups: flatGroups(size, 64),
		threads: 64,
		code: `${pass.common}
fn main() {
	let i = ${flatIndex(64)};
	if (i >= uniforms.size) { return; }
	let place = i % uniforms.capacity;
	let row = i / uniforms.capacity;
	let head = row / uniforms.tokens;
	let base = (head / uniforms.heads) * uniforms.kvHeads + (head % uniforms.heads) / uniforms.group;
	let extra = seen(base, place, row % uniforms.tokens);
	if (extra <= -1e29) { result[i] = 0.0; return; }
	var dots = 0.0;
	for (var j = 0; j < uniforms.steps; j++) { dots += product(q[row * uniforms.steps + j], keys[(base * uniforms.capacity + place) * uniforms.steps + j]); }
	result[i] = exp(dots * uniforms.scale + extra - logs[row]);
}`
	});
}

/** One thread a column: it walks the queries of the pass, so nothing of size tokens x capacity exists. */
function columnSums(backend: WebGPUBackend, pass: PassDescription, log: TensorInfo): TensorInfo {
	const { batch, heads, capacity } = pass;
	const size = batch * heads * capacity;
	return runProgram(backend, {
		key: `attention_sums_${pass.width}`,
		inputs: [...pass.inputs, ['logs', log]],
		result: [batch, heads, capacity],
		ints: { ...pass.ints, size },
		floats: pass.floats,
		groups: flatGroups(size, 64),
		threads: 64,
		code: `${pass.common}
fn main() {
	let i = ${flatIndex(64)};
	if (i >= uniforms.size) { return; }
	let place = i % uniforms.capacity;
	let head = i / uniforms.capacity;
	let base = (head / uniforms.heads) * uniforms.kvHeads + (head % uniforms.heads) / uniforms.group;
	let key = (base * uniforms.capacity + place) * uniforms.steps;
	var sum = 0.0;
	for (var t = 0; t < uniforms.tokens; t++) {
		let extra = seen(base, place, t);
		if (extra <= -1e29) { continue; }
		let row = head * uniforms.tokens + t;
		var dots = 0.0;
		for (var j = 0; j < uniforms.steps; j++) { dots += product(q[row * uniforms.steps + j], keys[key + j]); }
		sum += exp(dots * uniforms.scale + extra - logs[row]);
	}
	result[i] = sum;
}`
	});
}
