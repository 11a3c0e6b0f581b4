import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Inputs } from '../kernel.ts';
import { flat, runProgram, type Kernel } from '../program.ts';

export function webgpu(backend: WebGPUBackend, inputs: Inputs): TensorInfo[] {
	const { out, logSumExp, query, logCount, meanKey, meanValue, matrix } = inputs;
	const [, heads, tokens, headDim] = query.shape;
	const kvHeads = (logCount.shape as number[])[1];
	const rows = logSumExp.shape.reduce((a, b) => a * b, 1);
	const ints = { headDim, tokens, heads, group: heads / kvHeads, kvHeads };
	const floats = { scale: 1 / Math.sqrt(headDim) };
	const mixing = `
	let t = row / uniforms.tokens;
	let head = ((t / uniforms.heads) * uniforms.kvHeads + (t % uniforms.heads) / uniforms.group);
	let old = logs[row];
	let count = counts[head];
	var towards = 0.0;
	for (var j = 0; j < uniforms.headDim; j++) { towards += q[row * uniforms.headDim + j] * mk[head * uniforms.headDim + j]; }
	let logZ = count + towards * uniforms.scale;
	let peak = max(old, logZ);
	let a = exp(old - peak);
	let c = exp(logZ - peak);`;
	const shared: Kernel['inputs'] = [['logs', logSumExp], ['q', query], ['counts', logCount], ['mk', meanKey]];
	const merged = runProgram(backend, flat({
		key: 'merge_out',
		inputs: [...shared, ['o', out], ['mv', meanValue], ['mat', matrix]],
		result: out.shape,
		ints,
		floats,
		size: rows * headDim,
		body: () => `
	let row = i / uniforms.headDim;
	let channel = i % uniforms.headDim;
	${mixing}
	if (count <= -1e29) { result[i] = o[i]; return; }
	var value = mv[head * uniforms.headDim + channel];
	for (var j = 0; j < uniforms.headDim; j++) {
		value += mat[(head * uniforms.headDim + channel) * uniforms.headDim + j] * q[row * uniforms.headDim + j];
	}
	result[i] = (a * o[i] + c * value) / (a + c);`
	}));
	const log = runProgram(backend, flat({
		key: 'merge_log',
		inputs: shared,
		result: logSumExp.shape,
		ints,
		floats,
		size: rows,
		body: () => `
	let row = i;
	${mixing}
	result[row] = select(peak + log(a + c), old, count <= -1e29);`
	}));
	return [merged, log];
}
