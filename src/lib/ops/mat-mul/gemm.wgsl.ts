/**
 * Many rows. A thread owns 4 rows x 4 outputs; edges read clamped rows and write nothing. In the software
 * profile it reads its operands itself; in the gpu profile 64 or 128 threads bring tiles of 32 rows and 32 or 64
 * outputs, 32 inputs deep and already decoded, into workgroup memory, and read the next tile while they multiply.
 */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Profile } from '../profile.ts';
import { runProgram, writtenOut } from '../program.ts';
import type { Product } from './product.ts';

/** Threads along rows and along outputs of a workgroup. */
type Sides = readonly [down: number, across: number];
const SOFTWARE: Sides = [8, 8];
/** From so many workgroups on they may be large; a prompt has few rows, and a graphics card wants many workgroups. */
const MANY = 256;

/** Of the gpu profile: 32 rows and 64 outputs, or 32. */
function sidesOf(rows: number, width: number): Sides {
	const wide: Sides = [8, 16];
	return groupsOf(wide, rows, width).reduce((a, b) => a * b) >= MANY ? wide : [8, 8];
}

const groupsOf = ([down, across]: Sides, rows: number, width: number) => [Math.ceil(width / (4 * across)), Math.ceil(rows / (4 * down))];

/** Fours of inputs that a tile is deep, and the length of its rows in memory: odd, so that banks do not collide. */
const DEPTH = 8;
const PITCH = DEPTH + 1;

export function gemm(backend: WebGPUBackend, product: Product, profile: Profile): TensorInfo {
	const { rows, width, bindings, ints, source } = product;
	const sides = profile === 'gpu' ? sidesOf(rows, width) : SOFTWARE;
	const [down, across] = sides;
	return runProgram(backend, {
		key: `gemm_${product.key}_${profile}_${across}`,
		inputs: bindings,
		result: [rows, width],
		ints: { ...ints, fours: ints.units * source.quads },
		groups: [...groupsOf(sides, rows, width), 1] as [number, number, number],
		threads: down * across,
		code: () => `${source.functions}${product.put}
// Four number k of a row of the weight, scaled.
fn weights(row : i32, k : i32) -> ${source.type} {
	let at = row * uniforms.units + k / ${source.quads};
	return quad(w[at], k % ${source.quads})${source.perScale > 0 ? ` * scales[at / ${source.perScale}]` : ''};
}
${profile === 'gpu' ? shared(product, sides) : direct(product)}`
	});
}

function direct({ source: { type } }: Product): string {
	const four = (body: (i: string) => string) => writtenOut('', 4, body);
	const [down, across] = SOFTWARE;
	return `
fn main() {
	let n0 = (i32(workgroupId.x) * ${across} + i32(localId.x) % ${across}) * 4;
	let m0 = (i32(workgroupId.y) * ${down} + i32(localId.x) / ${across}) * 4;
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

/** Thread (i, j) owns rows i, i + 8, … and outputs j, j + 8 or 16, …, so that neighbours read neighbouring rows of a tile. */
function shared({ source: { type } }: Product, [down, across]: Sides): string {
	const threads = down * across;
	// Rows of a tile that the threads bring at a time, and how often they do.
	const step = threads / DEPTH;
	const [ofX, ofW] = [(4 * down) / step, (4 * across) / step];
	const zero = `${type}(0.0)`;
	const bring = (k: string) => `
		${writtenOut('r', ofX, (r) => `nextX[${r}] = select(${zero}, x[xRow[${r}] + min(${k}, uniforms.fours - 1)], ${k} < uniforms.fours);`)}
		${writtenOut('r', ofW, (r) => `nextW[${r}] = select(${zero}, weights(wRow[${r}], min(${k}, uniforms.fours - 1)), ${k} < uniforms.fours);`)}`;
	return `
var<workgroup> tileX: array<${type}, ${4 * down * PITCH}>;
var<workgroup> tileW: array<${type}, ${4 * across * PITCH}>;
fn main() {
	let lane = i32(localId.x);
	let row = lane / ${DEPTH};
	let column = lane % ${DEPTH};
	let n0 = i32(workgroupId.x) * ${4 * across};
	let m0 = i32(workgroupId.y) * ${4 * down};
	let i = lane / ${across};
	let j = lane % ${across};
	var xRow : array<i32, ${ofX}>;
	var wRow : array<i32, ${ofW}>;
	var nextX : array<${type}, ${ofX}>;
	var nextW : array<${type}, ${ofW}>;
	var b : array<${type}, 4>;
	var s : array<f32, 16>;
	${writtenOut('r', ofX, (r) => `xRow[${r}] = min(m0 + row + ${r} * ${step}, uniforms.rows - 1) * uniforms.fours;`)}
	${writtenOut('r', ofW, (r) => `wRow[${r}] = min(n0 + row + ${r} * ${step}, uniforms.width - 1);`)}
	${bring('column')}
	for (var k0 = 0; k0 < uniforms.fours; k0 += ${DEPTH}) {
		${writtenOut('r', ofX, (r) => `tileX[(row + ${r} * ${step}) * ${PITCH} + column] = nextX[${r}];`)}
		${writtenOut('r', ofW, (r) => `tileW[(row + ${r} * ${step}) * ${PITCH} + column] = nextW[${r}];`)}
		workgroupBarrier();
		let k = k0 + ${DEPTH} + column;
		${bring('k')}
		for (var c = 0; c < ${DEPTH}; c++) {
			${writtenOut('n', 4, (n) => `b[${n}] = tileW[(j + ${n} * ${across}) * ${PITCH} + c];`)}
			${writtenOut('m', 4, (m) => `{ let a : ${type} = tileX[(i + ${m} * ${down}) * ${PITCH} + c]; ${writtenOut('n', 4, (n) => `s[${m} * 4 + ${n}] += product(a, b[${n}]);`)} }`)}
		}
		workgroupBarrier();
	}
	for (var m = 0; m < 4; m++) { for (var n = 0; n < 4; n++) { put(m0 + i + m * ${down}, n0 + j + n * ${across}, s[m * 4 + n]); } }
}`;
}
