import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { runProgram } from '../program.ts';
import type { PassDescription } from './pass.ts';

/** Places whose scores are held at once. */
const TILE = 128;

/**
 * One workgroup a query, walking the places in tiles with a running softmax. In a tile every thread
 * first scores its share of the places; then threads turn to channels: lane c of a team adds up
 * channel c over the team's share. Loops are bounded by uniforms, or compilers unroll them at length.
 */
export function readOut(backend: WebGPUBackend, pass: PassDescription, withLog: boolean): TensorInfo {
	const { batch, heads, tokens, headDim, width, steps, type } = pass;
	const threads = Math.max(32, steps);
	const teams = Math.floor(threads / steps);
	const stride = withLog ? headDim + 1 : headDim;
	return runProgram(backend, {
		key: `attention_${pass.key}_${threads}_${withLog}`,
		inputs: [...pass.inputs, pass.values],
		result: withLog ? [batch * heads * tokens, stride] : [batch, heads, tokens, headDim],
		ints: pass.ints,
		floats: pass.floats,
		groups: [tokens, heads, batch],
		threads,
		code: `${pass.common}
var<workgroup> weights: array<f32, ${TILE}>;
var<workgroup> lanes: array<f32, ${threads}>;
var<workgroup> query: array<${type}, ${steps}>;
var<workgroup> sums: array<${type}, ${threads}>;
fn main() {
	let t = i32(workgroupId.x);
	let lane = i32(localId.x);
	let base = i32(workgroupId.z) * uniforms.kvHeads + i32(workgroupId.y) / uniforms.group;
	let row = (i32(workgroupId.z) * uniforms.heads + i32(workgroupId.y)) * uniforms.tokens + t;
	let team = lane / ${steps};
	let channel = lane % ${steps};
	if (lane < ${steps}) { query[lane] = q[row * ${steps} + lane]; }
	workgroupBarrier();
	var peak = -1e38;
	var total = 0.0;
	var sum = ${type}(0.0);
	for (var tile = 0; tile < uniforms.capacity; tile += ${TILE}) {
		let end = min(${TILE}, uniforms.capacity - tile);
		var own = -1e38;
		for (var i = lane; i < end; i += ${threads}) {
			let extra = seen(base, tile + i, t);
			var score = HIDDEN;
			if (extra > -1e29) {
				let at = (base * uniforms.capacity + tile + i) * uniforms.steps;
				var dots = 0.0;
				for (var j = 0; j < uniforms.steps; j++) { dots += product(query[j], keys[at + j]); }
				score = dots * uniforms.scale + extra;
				own = max(own, score);
			}
			weights[i] = score;
		}
		lanes[lane] = own;
		workgroupBarrier();
		var top = peak;
		for (var i = 0; i < ${threads}; i++) { top = max(top, lanes[i]); }
		let shrink = exp(peak - top);
		peak = top;
		total *= shrink;
		sum *= shrink;
		for (var i = lane; i < end; i += ${threads}) {
			let score = weights[i];
			let weight = select(exp(score - peak), 0.0, score <= -1e29);
			weights[i] = weight;
			total += weight;
		}
		workgroupBarrier();
		if (team < ${teams}) {
			for (var i = team; i < end; i += ${teams}) {
				let weight = weights[i];
				if (weight > 0.0) { sum += weight * vals[(base * uniforms.capacity + tile + i) * uniforms.steps + channel]; }
			}
		}
		workgroupBarrier();
	}
	lanes[lane] = total;
	sums[lane] = sum;
	workgroupBarrier();
	var all = 0.0;
	for (var i = 0; i < ${threads}; i++) { all += lanes[i]; }
	if (lane < ${steps}) {
		var merged = ${type}(0.0);
		for (var i = lane; i < ${teams * steps}; i += ${steps}) { merged += sums[i]; }
		merged /= all;
		${width === 4
			? [0, 1, 2, 3].map((c) => `result[row * ${stride} + lane * 4 + ${c}] = merged[${c}];`).join(' ')
			: `result[row * ${stride} + lane] = merged;`}
	}
	${withLog ? `if (lane == 0) { result[row * ${stride} + ${headDim}] = peak + log(all); }` : ''}
}`
	});
}
