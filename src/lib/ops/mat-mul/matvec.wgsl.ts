/**
 * Few rows: a team of lanes adds up the products of `outputs` rows of the weight with every row of `x`, so
 * that weights are read once for all rows. In the software profile a team is one thread and there is no
 * barrier; in the gpu profile neighbouring lanes read neighbouring loads of the weight, and the sums of
 * the lanes meet in workgroup memory.
 */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Profile } from '../profile.ts';
import { looped, runProgram, writtenOut, type Over } from '../program.ts';
import type { Product } from './product.ts';
import type { Source } from './source.wgsl.ts';

/** Up to this many rows a thread keeps a sum for every row; further rows read the weight again. */
export const MATVEC_ROWS = 12;

interface Plan {
	/** Threads of a workgroup. */
	threads: number;
	/** Lanes of a team. */
	lanes: number;
	/** Rows of the weight a team. */
	outputs: number;
	/** Rows of `x` a workgroup. */
	chunk: number;
}

function planOf({ rows, gated, source }: Product, units: number, profile: Profile): Plan {
	const chunk = Math.ceil(rows / Math.ceil(rows / MATVEC_ROWS));
	if (profile === 'software') return { threads: 32, lanes: 1, outputs: outputsOf(chunk, source), chunk };
	return { threads: 64, lanes: teamFor(units), outputs: chunk === 1 && !gated ? 2 : 4, chunk };
}

/**
 * A load costs a software adapter many times a product: the more products share one, the better, until a program
 * that is written out takes long to compile.
 */
function outputsOf(chunk: number, { quads, perScale }: Source): number {
	return (chunk === 1 && perScale > 0) || (chunk > 4 && chunk <= 8 && quads === 1) ? 8 : 4;
}

/** Lanes that a row of `units` loads keeps busiest: 32 unless fewer waste much less in the last round. */
function teamFor(units: number): number {
	const busy = (lanes: number) => units / (lanes * Math.ceil(units / lanes));
	return [32, 16, 8, 4].reduce((best, lanes) => (busy(lanes) > busy(best) + 0.1 ? lanes : best));
}

/** Whether all products of a load may be written out: more take long to compile. */
const small = ({ source }: Product, { chunk, outputs }: Plan) => chunk * outputs * source.quads <= 64;

export function matVec(backend: WebGPUBackend, product: Product, profile: Profile): TensorInfo {
	const { rows, width, gated, source, bindings, ints } = product;
	const plan = planOf(product, ints.units, profile);
	const { threads, lanes, outputs, chunk } = plan;
	const own = gated ? outputs / 2 : outputs;
	const perGroup = (threads / lanes) * own;
	const over = profile === 'software' || small(product, plan) ? writtenOut : looped;
	return runProgram(backend, {
		key: ['matvec', product.key, ...Object.values(plan)].join('_'),
		inputs: bindings,
		result: [rows, width],
		ints,
		groups: [Math.ceil(width / perGroup), Math.ceil(rows / chunk), 1],
		threads,
		code: () => `${source.functions}${product.put}
${lanes > 1 ? `var<workgroup> sums: array<f32, ${outputs * threads}>;` : ''}
fn main() {
	let lane = i32(localId.x) % ${lanes};
	let first = i32(workgroupId.x) * ${perGroup};
	let n0 = first + i32(localId.x) / ${lanes} * ${own};
	let m0 = i32(workgroupId.y) * ${chunk};
	${lanes === 1 ? 'if (n0 >= uniforms.width) { return; }' : ''}
	var rowW : array<i32, ${outputs}>;
	var rowX : array<i32, ${chunk}>;
	var l : array<${source.load}, ${outputs}>;
	var b : array<${source.type}, ${outputs}>;
	var s : array<f32, ${chunk * outputs}>;
	${source.perScale > 0 ? `var p : array<f32, ${chunk * outputs}>;` : ''}
	${over('n', outputs, (n) => `rowW[${n}] = ${gated ? `(min(n0 + ${n} / 2, uniforms.width - 1) + ${n} % 2 * uniforms.width)` : `min(n0 + ${n}, uniforms.width - 1)`} * uniforms.units;`)}
	${over('m', chunk, (m) => `rowX[${m}] = min(m0 + ${m}, uniforms.rows - 1) * uniforms.units * ${source.quads};`)}
	for (var u = lane; u < uniforms.units; u += ${lanes}) {
		${accumulate(product, plan, over)}
	}
	${lanes === 1 ? writeSums(plan, own, gated, over) : addUpLanes(plan, own, gated, over)}
}`
	});
}

/** Adds the products of load `u` to the sums. Rows of loads with scales are added up apart, and scaled once. */
function accumulate(product: Product, plan: Plan, over: Over): string {
	const { outputs, chunk } = plan;
	const { type, quads, perScale } = product.source;
	const sum = perScale > 0 ? 'p' : 's';
	const four = (j: string) => [
		over('n', outputs, (n) => `b[${n}] = quad(l[${n}], ${j});`),
		over('m', chunk, (m) => `{ let a : ${type} = x[rowX[${m}] + u * ${quads} + ${j}]; ${over('n', outputs, (n) => `${sum}[${m} * ${outputs} + ${n}] += product(a, b[${n}]);`)} }`)
	].join('\n\t\t');
	return [
		over('n', outputs, (n) => `l[${n}] = w[rowW[${n}] + u];`),
		// An array that is declared in a loop is not made zero again by every driver.
		...(perScale > 0 ? [over('i', chunk * outputs, (i) => `p[${i}] = 0.0;`)] : []),
		(small(product, plan) ? writtenOut : looped)('j', quads, (j) => `{ ${four(j)} }`),
		...(perScale > 0 ? [over('n', outputs, (n) => `{ let scale = scales[(rowW[${n}] + u) / ${perScale}]; ${over('m', chunk, (m) => `s[${m} * ${outputs} + ${n}] += p[${m} * ${outputs} + ${n}] * scale;`)} }`)] : [])
	].join('\n\t\t');
}

function writeSums({ chunk, outputs }: Plan, own: number, gated: boolean, over: Over): string {
	return over('m', chunk, (m) => over('n', own, (n) => `put(m0 + ${m}, n0 + ${n}, ${gated ? `s[${m} * ${outputs} + 2 * ${n}], s[${m} * ${outputs} + 2 * ${n} + 1]` : `s[${m} * ${outputs} + ${n}]`});`));
}

/** Row by row, every lane leaves its sums; then a thread adds up the lanes of one result after another. */
function addUpLanes({ threads, lanes, outputs, chunk }: Plan, own: number, gated: boolean, over: Over): string {
	const perGroup = (threads / lanes) * own;
	const lane = (slot: string) => `sums[(${slot}) * ${threads} + base + l]`;
	return `let thread = i32(localId.x);
	${over('m', chunk, (m) => `
	${over('n', outputs, (n) => `sums[${n} * ${threads} + thread] = s[${m} * ${outputs} + ${n}];`)}
	workgroupBarrier();
	for (var i = thread; i < ${perGroup}; i += ${threads}) {
		let base = i / ${own} * ${lanes};
		let slot = i % ${own}${gated ? ' * 2' : ''};
		var sum = 0.0;
		${gated ? 'var up = 0.0;' : ''}
		for (var l = 0; l < ${lanes}; l++) { sum += ${lane('slot')};${gated ? ` up += ${lane('slot + 1')};` : ''} }
		put(m0 + ${m}, first + i, sum${gated ? ', up' : ''});
	}
	workgroupBarrier();`)}`;
}
