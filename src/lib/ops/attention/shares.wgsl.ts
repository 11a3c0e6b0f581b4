/** Probabilities, and their sums over the queries of a pass, from the log-sum-exp of each query. */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Profile } from '../profile.ts';
import { flat, runProgram } from '../program.ts';
import { channelsOver, type PassDescription } from './pass.ts';

/** One thread a probability. */
export function probabilities(backend: WebGPUBackend, pass: PassDescription, log: TensorInfo): TensorInfo {
	const { batch, heads, tokens, capacity } = pass;
	return perPlace(backend, pass, log, [batch, heads, tokens, capacity], 'p', `
	let row = i / uniforms.capacity;
	let base = baseOf(row / uniforms.tokens);
	let extra = seen(base, place, row % uniforms.tokens);
	if (extra <= -1e29) { result[i] = 0.0; return; }
	var dots = 0.0;
	for (var j = 0; j < uniforms.steps; j++) { dots += product(q[row * uniforms.steps + j], keys[(base * uniforms.capacity + place) * uniforms.steps + j]); }
	result[i] = exp(dots * uniforms.scale + extra - logs[row]);`);
}

/** One thread a column: it keeps its key and walks the queries of the pass, so nothing of size tokens x capacity exists. */
export function columnSums(backend: WebGPUBackend, pass: PassDescription, log: TensorInfo, profile: Profile): TensorInfo {
	const { batch, heads, capacity, steps, type } = pass;
	const over = channelsOver(steps, profile);
	return perPlace(backend, pass, log, [batch, heads, capacity], `sums_${profile}`, `
	let head = i / uniforms.capacity;
	let base = baseOf(head);
	var key : array<${type}, ${steps}>;
	${over('j', steps, (j) => `key[${j}] = keys[(base * uniforms.capacity + place) * ${steps} + ${j}];`)}
	var sum = 0.0;
	for (var t = 0; t < uniforms.tokens; t++) {
		let extra = seen(base, place, t);
		if (extra <= -1e29) { continue; }
		let row = head * uniforms.tokens + t;
		var dots = 0.0;
		${over('j', steps, (j) => `dots += product(q[row * ${steps} + ${j}], key[${j}]);`)}
		sum += exp(dots * uniforms.scale + extra - logs[row]);
	}
	result[i] = sum;`);
}

function perPlace(backend: WebGPUBackend, pass: PassDescription, log: TensorInfo, shape: number[], name: string, body: string): TensorInfo {
	const size = shape.reduce((a, b) => a * b, 1);
	return runProgram(backend, flat({
		key: `attention_${name}_${pass.key}`,
		inputs: [...pass.inputs, ['logs', log]],
		result: shape,
		ints: pass.ints,
		floats: pass.floats,
		size,
		functions: pass.common,
		body: () => `let place = i % uniforms.capacity;${body}`
	}));
}
