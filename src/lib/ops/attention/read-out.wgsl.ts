/**
 * Attention of few tokens a row. One workgroup a query and chunk of places, walking the places in tiles
 * with a running softmax. In a tile, first places are scored; then threads turn to channels: lane c of a
 * team adds up channel c over the team's share. A long context is cut into chunks that are read side by
 * side and combined (flash-decoding, Dao et al. 2023). Several lanes score a place, so that neighbours read
 * neighbouring channels. For software adapters see shared.wgsl.ts. Loops are bounded by uniforms, or compilers unroll them at length.
 */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Profile } from '../profile.ts';
import { flat, runProgram } from '../program.ts';
import type { PassDescription } from './pass.ts';
import { readShared } from './shared.wgsl.ts';

/** Places whose scores are held at once. */
const TILE = 128;
/**
 * Places a chunk. A few heads over a short cache are far too few workgroups for a graphics card, so chunks are short until
 * there are 32 of them; then they grow, for their parts have to be put together.
 */
const chunkOf = (capacity: number) => 64 * Math.max(1, Math.ceil(capacity / (64 * 32)));

/** [batch, heads, tokens, headDim], or rows of headDim + 1 with the log-sum-exp last. */
export function readOut(backend: WebGPUBackend, pass: PassDescription, withLog: boolean, profile: Profile): TensorInfo {
	if (profile === 'software') return readShared(backend, pass, withLog);
	const chunk = chunkOf(pass.capacity);
	const chunks = Math.ceil(pass.capacity / chunk);
	// Parts have room for all chunks, so that their tensor keeps its size; those beyond what is used are not read.
	const live = Math.ceil(pass.ints.used / chunk);
	if (live <= 1) return readChunks(backend, pass, chunk, 1, 1, withLog);
	const parts = readChunks(backend, pass, chunk, chunks, live, false);
	const result = combine(backend, pass, parts, chunks, live, withLog);
	backend.disposeData(parts.dataId);
	return result;
}

/** Lanes that score a place: a power of two. */
const lanesOf = (steps: number) => Math.min(8, 2 ** Math.floor(Math.log2(steps)));

/** Of one chunk the result itself; of several, rows of unscaled sums, peak and total, [.., headDim + 2]. */
function readChunks(backend: WebGPUBackend, pass: PassDescription, chunk: number, chunks: number, live: number, withLog: boolean): TensorInfo {
	const { batch, heads, tokens, headDim, steps, type, put } = pass;
	// A whole number of the lanes that score a place.
	const threads = Math.ceil(Math.max(64, steps) / 8) * 8;
	const lanes = lanesOf(steps);
	const teams = Math.floor(threads / steps);
	const end = chunks > 1 ? 'part' : withLog ? 'log' : 'out';
	const stride = headDim + { part: 2, log: 1, out: 0 }[end];
	return runProgram(backend, {
		key: `attention_${pass.key}_${threads}_${end}`,
		inputs: [...pass.inputs, pass.values],
		result: end === 'out' ? [batch, heads, tokens, headDim] : [batch * heads * tokens * chunks, stride],
		ints: { ...pass.ints, chunks, live, chunk: end === 'part' ? chunk : pass.capacity },
		floats: pass.floats,
		groups: [tokens * live, heads, batch],
		threads,
		code: () => `${pass.common}
var<workgroup> weights: array<f32, ${TILE}>;
var<workgroup> partial: array<f32, ${TILE * lanes}>;
var<workgroup> lanes: array<f32, ${threads}>;
var<workgroup> query: array<${type}, ${steps}>;
var<workgroup> sums: array<${type}, ${threads}>;
fn main() {
	let t = i32(workgroupId.x) / uniforms.live;
	let chunk = i32(workgroupId.x) % uniforms.live;
	let lane = i32(localId.x);
	let head = i32(workgroupId.z) * uniforms.heads + i32(workgroupId.y);
	let base = baseOf(head);
	let row = head * uniforms.tokens + t;
	let team = lane / ${steps};
	let channel = lane % ${steps};
	let first = chunk * uniforms.chunk;
	let length = min(uniforms.chunk, uniforms.used - first);
	if (lane < ${steps}) { query[lane] = q[row * ${steps} + lane]; }
	workgroupBarrier();
	var peak = -1e38;
	var total = 0.0;
	var sum = ${type}(0.0);
	for (var start = 0; start < min(uniforms.chunk, uniforms.used); start += ${TILE}) {
		let tile = first + start;
		let end = min(${TILE}, length - start);
		for (var i = lane / ${lanes}; i < end; i += ${threads / lanes}) {
			var dots = 0.0;
			if (seen(base, tile + i, t) > -1e29) {
				for (var j = lane % ${lanes}; j < uniforms.steps; j += ${lanes}) { dots += product(query[j], keys[(base * uniforms.capacity + tile + i) * uniforms.steps + j]); }
			}
			partial[i * ${lanes} + lane % ${lanes}] = dots;
		}
		workgroupBarrier();
		var own = -1e38;
		for (var i = lane; i < end; i += ${threads}) {
			let extra = seen(base, tile + i, t);
			var score = HIDDEN;
			if (extra > -1e29) {
				var dots = 0.0;
				for (var l = 0; l < ${lanes}; l++) { dots += partial[i * ${lanes} + l]; }
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
	let out = (row * uniforms.chunks + chunk) * ${stride};
	if (lane < ${steps}) {
		var merged = ${type}(0.0);
		for (var i = lane; i < ${teams * steps}; i += ${steps}) { merged += sums[i]; }
		${end === 'part' ? '' : 'merged /= all;'}
		${put('out', 'lane', 'merged')}
	}
	${end === 'part' ? `if (lane == 0) { result[out + ${headDim}] = peak; result[out + ${headDim + 1}] = all; }` : ''}
	${end === 'log' ? `if (lane == 0) { result[out + ${headDim}] = peak + log(all); }` : ''}
}`
	});
}

/** One thread a number of the result. A chunk without a visible place has total 0 and a peak that counts for nothing. */
function combine(backend: WebGPUBackend, pass: PassDescription, parts: TensorInfo, chunks: number, live: number, withLog: boolean): TensorInfo {
	const { batch, heads, tokens, headDim } = pass;
	const rows = batch * heads * tokens;
	const stride = headDim + (withLog ? 1 : 0);
	return runProgram(backend, flat({
		key: `attention_combine_${withLog}`,
		inputs: [['parts', parts]],
		result: withLog ? [rows, stride] : [batch, heads, tokens, headDim],
		ints: { chunks, live, headDim, stride },
		size: rows * stride,
		body: () => `
	let channel = i % uniforms.stride;
	let width = uniforms.headDim + 2;
	let first = i / uniforms.stride * uniforms.chunks * width;
	var peak = -1e38;
	for (var c = 0; c < uniforms.live; c++) { peak = max(peak, parts[first + c * width + uniforms.headDim]); }
	var sum = 0.0;
	var total = 0.0;
	for (var c = 0; c < uniforms.live; c++) {
		let part = first + c * width;
		let weight = exp(parts[part + uniforms.headDim] - peak);
		total += weight * parts[part + uniforms.headDim + 1];
		sum += weight * parts[part + channel];
	}
	${withLog ? 'result[i] = select(sum / total, peak + log(total), channel == uniforms.headDim);' : 'result[i] = sum / total;'}`
	}));
}
