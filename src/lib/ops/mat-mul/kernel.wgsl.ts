import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Inputs } from '../kernel.ts';
import { runProgram, type Kernel } from '../program.ts';
import type { Added } from './index.ts';

/** Up to this many rows a thread keeps a sum for every row, so that weights are read once. */
const MATVEC_ROWS = 12;
const THREADS = 32;

/** `w` is [outputs, inputs]. Few rows: matvec; many rows: register tiles of 4 x 4. */
export function webgpu(backend: WebGPUBackend, { x, w, plus, bias }: Inputs): TensorInfo {
	const rows = x.shape[0];
	return rows <= 2 * MATVEC_ROWS ? matVec(backend, x, w, { plus, bias }) : tiles(backend, x, w, { plus, bias });
}

function describe(x: TensorInfo, w: TensorInfo, { plus, bias }: Added) {
	const [rows, k] = x.shape;
	const outputs = w.shape[0];
	const components = k % 4 === 0 ? 4 : 1;
	const inputs: Kernel['inputs'] = [['x', x, components], ['w', w, components]];
	if (plus) inputs.push(['plus', plus]);
	if (bias) inputs.push(['bias', bias]);
	return {
		rows, outputs, inputs,
		type: components === 4 ? 'vec4<f32>' : 'f32',
		times: components === 4 ? (a: string, b: string) => `dot(${a}, ${b})` : (a: string, b: string) => `${a} * ${b}`,
		steps: k / components,
		key: `${components}_${plus ? 'plus' : 'bare'}${bias ? '_bias' : ''}`,
		write: (n: number) => `result[at] = ${plus ? 'plus[at] + ' : ''}${bias ? `bias[n0 + ${n}] + ` : ''}`
	};
}

/** A thread owns `perThread` outputs of `chunk` rows; workgroups in y take further chunks of rows. */
function matVec(backend: WebGPUBackend, x: TensorInfo, w: TensorInfo, added: Added): TensorInfo {
	const { rows, outputs, inputs, type, times, steps, key, write } = describe(x, w, added);
	const chunk = Math.ceil(rows / Math.ceil(rows / MATVEC_ROWS));
	const perThread = chunk <= 4 ? 4 : 2;
	const each = <T>(count: number, f: (i: number) => T) => Array.from({ length: count }, (_, i) => f(i));
	return runProgram(backend, {
		key: `matvec_${key}_${chunk}_${perThread}`,
		inputs,
		result: [rows, outputs],
		ints: { steps, outputs, rows },
		groups: [Math.ceil(outputs / (THREADS * perThread)), Math.ceil(rows / chunk), 1],
		threads: THREADS,
		code: `
fn main() {
	let n0 = i32(workgroupId.x * ${THREADS}u + localId.x) * ${perThread};
	let m0 = i32(workgroupId.y) * ${chunk};
	if (n0 >= uniforms.outputs) { return; }
	${each(perThread, (n) => `let w${n} = min(n0 + ${n}, uniforms.outputs - 1) * uniforms.steps;`).join('\n\t')}
	${each(chunk, (m) => `let x${m} = min(m0 + ${m}, uniforms.rows - 1) * uniforms.steps;`).join('\n\t')}
	${each(chunk, (m) => each(perThread, (n) => `var s${m}_${n} = 0.0;`).join(' ')).join('\n\t')}
	for (var k = 0; k < uniforms.steps; k++) {
		${each(perThread, (n) => `let b${n} : ${type} = w[w${n} + k];`).join(' ')}
		${each(chunk, (m) => `{ let a : ${type} = x[x${m} + k]; ${each(perThread, (n) => `s${m}_${n} += ${times('a', `b${n}`)};`).join(' ')} }`).join('\n\t\t')}
	}
	${each(chunk, (m) => each(perThread, (n) => `if (m0 + ${m} < uniforms.rows && n0 + ${n} < uniforms.outputs) { let at = (m0 + ${m}) * uniforms.outputs + n0 + ${n}; ${write(n)}s${m}_${n}; }`).join('\n\t')).join('\n\t')}
}`
	});
}

/** A thread owns 4 rows x 4 outputs; edges read clamped rows and write nothing. */
function tiles(backend: WebGPUBackend, x: TensorInfo, w: TensorInfo, added: Added): TensorInfo {
	const { rows, outputs, inputs, type, times, steps, key, write } = describe(x, w, added);
	const four = [0, 1, 2, 3];
	return runProgram(backend, {
		key: `tiles_${key}`,
		inputs,
		result: [rows, outputs],
		ints: { steps, outputs, rows },
		groups: [Math.ceil(outputs / (4 * 8)), Math.ceil(rows / (4 * 8)), 1],
		threads: 64,
		code: `
fn main() {
	let n0 = (i32(workgroupId.x) * 8 + i32(localId.x) % 8) * 4;
	let m0 = (i32(workgroupId.y) * 8 + i32(localId.x) / 8) * 4;
	if (n0 >= uniforms.outputs || m0 >= uniforms.rows) { return; }
	${four.map((i) => `let w${i} = min(n0 + ${i}, uniforms.outputs - 1) * uniforms.steps; let x${i} = min(m0 + ${i}, uniforms.rows - 1) * uniforms.steps;`).join('\n\t')}
	${four.map((m) => four.map((n) => `var s${m}_${n} = 0.0;`).join(' ')).join('\n\t')}
	for (var k = 0; k < uniforms.steps; k++) {
		${four.map((n) => `let b${n} : ${type} = w[w${n} + k];`).join(' ')}
		${four.map((m) => `{ let a : ${type} = x[x${m} + k]; ${four.map((n) => `s${m}_${n} += ${times('a', `b${n}`)};`).join(' ')} }`).join('\n\t\t')}
	}
	${four.map((m) => four.map((n) => `if (m0 + ${m} < uniforms.rows && n0 + ${n} < uniforms.outputs) { let at = (m0 + ${m}) * uniforms.outputs + n0 + ${n}; ${write(n)}s${m}_${n}; }`).join('\n\t')).join('\n\t')}
}`
	});
}
