/**
 * Many rows. A thread owns 4 rows x 4 outputs; edges read clamped rows and write nothing. In the software
 * profile it reads its operands itself; in the gpu profile 256 threads bring tiles of 64 rows and 64
 * outputs, 16 inputs deep and already decoded, into workgroup memory.
 */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Profile } from '../profile.ts';
import { looped, runProgram, writtenOut } from '../program.ts';
import type { Product } from './product.ts';

/** Threads along one side of a workgroup. */
const SIDE = { software: 8, gpu: 16 };
/** Fours of inputs that a tile is deep, and the length of its rows in memory: odd, so that banks do not collide. */
const DEPTH = 4;
const PITCH = DEPTH + 1;

export function gemm(backend: WebGPUBackend, product: Product, profile: Profile): TensorInfo {
	const { rows, width, bindings, ints, source } = product;
	const side = SIDE[profile];
	return runProgram(backend, {
		key: `gemm_${product.key}_${profile}`,
		inputs: bindings,
		result: [rows, width],
		ints: { ...ints, fours: ints.units * source.quads },
		groups: [Math.ceil(width / (4 * side)), Math.ceil(rows / (4 * side)), 1],
		threads: side * side,
		code: () => `${source.functions}${product.put}
// Four number k of a row of the weight, scaled.
fn weights(row : i32, k : i32) -> ${source.type} {
	let at = row * uniforms.units + k / ${source.quads};
	return quad(w[at], k % ${source.quads})${source.perScale > 0 ? ` * scales[at / ${source.perScale}]` : ''};
}
${profile === 'gpu' ? shared(product) : direct(product)}`
	});
}

function direct({ source: { type } }: Product): string {
	const four = (body: (i: string) => string) => writtenOut('', 4, body);
	return `
fn main() {
	let n0 = (i32(workgroupId.x) * ${SIDE.software} + i32(localId.x) % ${SIDE.software}) * 4;
	let m0 = (i32(workgroupId.y) * ${SIDE.software} + i32(localId.x) / ${SIDE.software}) * 4;
	if (n0 >= uniforms.width || m0 >= uniforms.rows) { return; }
	var rowW : array<i32, 4>;
	var rowX : array<i32, 4>;
	var b : array<${type}, 4>;
	var s : array<f32, 16>;
	${four((i) => `rowW[${i}] = min(n0 + ${i}, uniforms.width - 1); rowX[${i}] = min(m0 + ${i}, uniforms.rows - 1) * uniforms.fours;`)}
	for (var k = 0; k < uniforms.fours; k++) {
		${four((n) => `b[${n}] = weights(rowW[${n}], k);`)}
		${four((m) => `{ let a : ${type} = x[rowX[${m}] + k]; ${four((n) => `s[${m} * 4 + ${n}] += product(a, b[${n}]);`)} }`)}
	}
	for (var m = 0; m < 4; m++) { for (var n = 0; n < 4; n++) { put(m0 + m, n0 + n, s[m * 4 + n]); } }
}`;
}

/** Thread (i, j) owns rows i, i + 16, … and outputs j, j + 16, …, so that neighbours read neighbouring rows of a tile. */
function shared({ source: { type } }: Product): string {
	const side = SIDE.gpu;
	return `
var<workgroup> tileX: array<${type}, ${4 * side * PITCH}>;
var<workgroup> tileW: array<${type}, ${4 * side * PITCH}>;
fn main() {
	let lane = i32(localId.x);
	let row = lane / ${DEPTH};
	let column = lane % ${DEPTH};
	let n0 = i32(workgroupId.x) * ${4 * side};
	let m0 = i32(workgroupId.y) * ${4 * side};
	let xRow = min(m0 + row, uniforms.rows - 1) * uniforms.fours;
	let wRow = min(n0 + row, uniforms.width - 1);
	let i = lane / ${side};
	let j = lane % ${side};
	var b : array<${type}, 4>;
	var s : array<f32, 16>;
	for (var k0 = 0; k0 < uniforms.fours; k0 += ${DEPTH}) {
		let k = k0 + column;
		var fromX = ${type}(0.0);
		var fromW = ${type}(0.0);
		if (k < uniforms.fours) {
			fromX = x[xRow + k];
			fromW = weights(wRow, k);
		}
		tileX[row * ${PITCH} + column] = fromX;
		tileW[row * ${PITCH} + column] = fromW;
		workgroupBarrier();
		for (var c = 0; c < ${DEPTH}; c++) {
			${looped('n', 4, (n) => `b[${n}] = tileW[(j + ${n} * ${side}) * ${PITCH} + c];`)}
			for (var m = 0; m < 4; m++) {
				let a : ${type} = tileX[(i + m * ${side}) * ${PITCH} + c];
				${looped('n', 4, (n) => `s[m * 4 + ${n}] += product(a, b[${n}]);`)}
			}
		}
		workgroupBarrier();
	}
	for (var m = 0; m < 4; m++) { for (var n = 0; n < 4; n++) { put(m0 + i + m * ${side}, n0 + j + n * ${side}, s[m * 4 + n]); } }
}`;
}
