import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Attrs, Inputs } from '../kernel.ts';
import { runProgram } from '../program.ts';

const THREADS = 32;

/** One workgroup a row. The variance is summed around the mean: the mean of squares would lose digits where the mean is large. */
export function webgpu(backend: WebGPUBackend, { x, weight, bias }: Inputs, { eps }: Attrs): TensorInfo {
	const [rows, width] = x.shape;
	const x2 = Math.min(rows, 32768);
	return runProgram(backend, {
		key: `layer_norm_${THREADS}`,
		inputs: [['x', x], ['w', weight], ['b', bias]],
		result: x.shape,
		ints: { width, rows },
		floats: { eps: eps as number },
		groups: [x2, Math.ceil(rows / x2), 1],
		threads: THREADS,
		code: () => `
var<workgroup> sums: array<f32, ${THREADS}>;
var<workgroup> squares: array<f32, ${THREADS}>;
fn main() {
	let row = i32(workgroupId.y * numWorkgroups.x + workgroupId.x);
	let lane = i32(localId.x);
	let base = min(row, uniforms.rows - 1) * uniforms.width;
	var sum = 0.0;
	for (var i = lane; i < uniforms.width; i += ${THREADS}) { sum += x[base + i]; }
	sums[lane] = sum;
	workgroupBarrier();
	var mean = 0.0;
	for (var i = 0; i < ${THREADS}; i++) { mean += sums[i]; }
	mean /= f32(uniforms.width);
	var square = 0.0;
	for (var i = lane; i < uniforms.width; i += ${THREADS}) {
		let d = x[base + i] - mean;
		square += d * d;
	}
	squares[lane] = square;
	workgroupBarrier();
	var variance = 0.0;
	for (var i = 0; i < ${THREADS}; i++) { variance += squares[i]; }
	let scale = inverseSqrt(variance / f32(uniforms.width) + uniforms.eps);
	if (row < uniforms.rows) {
		for (var i = lane; i < uniforms.width; i += ${THREADS}) {
			result[base + i] = (x[base + i] - mean) * scale * w[i] + b[i];
		}
	}
}`
	});
}
