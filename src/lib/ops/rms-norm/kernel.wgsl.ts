import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Attrs, Inputs } from '../kernel.ts';
import { profile } from '../profile.ts';
import { runProgram } from '../program.ts';

/** Threads a row: software pays for each that waits. */
const THREADS = { gpu: 128, software: 32 };

/** One workgroup a row: strided partial sums, one barrier, every thread adds up all partials. */
export function webgpu(backend: WebGPUBackend, { x, weight }: Inputs, { eps }: Attrs): TensorInfo {
	const [rows, width] = x.shape;
	const x2 = Math.min(rows, 32768);
	const components = width % 4 === 0 ? 4 : 1;
	const threads = THREADS[profile()];
	return runProgram(backend, {
		key: `rms_${threads}_${components}`,
		inputs: [['x', x, components], ['w', weight, components]],
		result: x.shape,
		components,
		ints: { width, steps: width / components, rows },
		floats: { eps: eps as number },
		groups: [x2, Math.ceil(rows / x2), 1],
		threads,
		code: () => `
var<workgroup> partial: array<f32, ${threads}>;
fn main() {
	let row = i32(workgroupId.y * numWorkgroups.x + workgroupId.x);
	let lane = i32(localId.x);
	let base = min(row, uniforms.rows - 1) * uniforms.steps;
	var sum = 0.0;
	for (var i = lane; i < uniforms.steps; i += ${threads}) {
		let v = x[base + i];
		sum += ${components === 4 ? 'dot(v, v)' : 'v * v'};
	}
	partial[lane] = sum;
	workgroupBarrier();
	var total = 0.0;
	for (var i = 0; i < ${threads}; i++) { total += partial[i]; }
	let scale = inverseSqrt(total / f32(uniforms.width) + uniforms.eps);
	if (row < uniforms.rows) {
		for (var i = lane; i < uniforms.steps; i += ${threads}) {
			result[base + i] = x[base + i] * scale * w[i];
		}
	}
}`
	});
}
