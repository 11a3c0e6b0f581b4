import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Attrs, Inputs } from '../kernel.ts';
import { flat, runProgram } from '../program.ts';

const THREADS = 32;

/**
 * One workgroup a row. Round i finds the largest element that comes after the winner of round
 * i - 1 in the order (value down, index up), so nothing has to be struck out.
 */
export function webgpu(backend: WebGPUBackend, { x }: Inputs, attrs: Attrs): TensorInfo[] {
	const k = attrs.k as number;
	const [rows, width] = x.shape;
	const indices = runProgram(backend, {
		key: `topk_${THREADS}`,
		inputs: [['x', x]],
		result: [rows, k],
		dtype: 'int32',
		ints: { width, k },
		groups: [rows, 1, 1],
		threads: THREADS,
		code: () => `
var<workgroup> value: array<f32, ${THREADS}>;
var<workgroup> place: array<i32, ${THREADS}>;
fn main() {
	let row = i32(workgroupId.x);
	let lane = i32(localId.x);
	var lastValue = 0.0;
	var last = -1;
	for (var round = 0; round < uniforms.k; round++) {
		var best = -1;
		var bestValue = 0.0;
		for (var i = lane; i < uniforms.width; i += ${THREADS}) {
			let v = x[row * uniforms.width + i];
			let open = last < 0 || v < lastValue || (v == lastValue && i > last);
			if (open && (best < 0 || v > bestValue)) { best = i; bestValue = v; }
		}
		value[lane] = bestValue;
		place[lane] = best;
		workgroupBarrier();
		best = -1;
		for (var i = 0; i < ${THREADS}; i++) {
			let p = place[i];
			let v = value[i];
			if (p >= 0 && (best < 0 || v > bestValue || (v == bestValue && p < best))) { best = p; bestValue = v; }
		}
		workgroupBarrier();
		last = best;
		lastValue = bestValue;
		if (lane == 0) { result[row * uniforms.k + round] = best; }
	}
}`
	});
	const values = runProgram(backend, flat({
		key: 'topk_values',
		inputs: [['x', x], ['places', indices]],
		result: [rows, k],
		ints: { width, k },
		size: rows * k,
		body: () => `result[i] = x[(i / uniforms.k) * uniforms.width + places[i]];`
	}));
	return [values, indices];
}
