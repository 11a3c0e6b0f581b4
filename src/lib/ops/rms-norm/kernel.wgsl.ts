import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Attrs, Inputs } from '../kernel.ts';
import { runProgram } from '../program.ts';

const THREADS = 32;

/** One workgroup a row: strided partial sums, one barrier, every thread adds up all partials. */
export function webgpu(backend: WebGPUBackend, { x, weight }: Inputs, { eps }: Attrs): TensorInfo {
	const [rows, width] = x.shape;
	const x2 = Math.min(rows, 32768);
	return runProgram(backend, {
		key: `rms_${THREADS}`,
		inputs: [['x', x], ['w', weight]],
		result: x.shape,
		ints: { width, rows },
		floats: { eps: eps as number },
		groups: [x2, Math.ceil(rows / x2), 1],
		threads: THREADS,
		code: `
var<workgroup> partial: array<f32, ${THREADS}>;
fn main() {
	let row = i32(workgroupId.y * numWorkgroups.x + workgroupId.x);
	let lane = i32(localId.x);
	let base = min(row, uniforms.rows - 1) * uniforms.width;
	var sum = 0.0;
	for (var i = lane; i < uniforms.width; i += ${THREADS}) {
		let v = x[base + i];
		sum += v * v;
	}
	partial[lane] = sum;
	workgroupBarrier();
	var total = 0.0;
	for (var i = 0; i < ${THREADS}; i++) { total += partial[i]; }
	let scale = inverseSqrt(total / f32(uniforms.width) + uniforms.eps);
	if (row < uniforms.rows) {
		for (var i = lane; i < uniforms.width; i += ${THREADS}) {
			result[base + i] = x[base + i] * scale * w[i];
		}
	}
}`
	});
}
