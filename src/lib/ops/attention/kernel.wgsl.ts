import type { Tensor, TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Attrs, Inputs } from '../kernel.ts';
import { flatGroups, flatIndex, integers, runProgram, type Kernel } from '../program.ts';
import type { AttentionAttrs } from './index.ts';

/** Up to four programs: read-out (with its log-sum-exp packed behind each row), split, probabilities, sums. */
export function webgpu(backend: WebGPUBackend, inputs: Inputs, attrs: Attrs): TensorInfo[] {
	const wanted = attrs as unknown as AttentionAttrs;
	const at = integers(backend, wanted.at);
	const pass = describe(inputs, at);
	const [batch, heads, tokens, headDim] = inputs.query.shape;
	const needsLog = wanted.logSumExp || wanted.probabilities || wanted.columnSums;
	const results: TensorInfo[] = [];
	let log: TensorInfo | null = null;
	if (needsLog) {
		const packed = readOut(backend, pass, true);
		results.push(column(backend, packed, [batch, heads, tokens, headDim], 0));
		log = column(backend, packed, [batch, heads, tokens], headDim);
		backend.disposeData(packed.dataId);
		if (wanted.logSumExp) results.push(log);
	} else {
		results.push(readOut(backend, pass, false));
	}
	if (wanted.probabilities) results.push(probabilities(backend, pass, log!));
	if (wanted.columnSums) results.push(columnSums(backend, pass, log!));
	if (log && !wanted.logSumExp) backend.disposeData(log.dataId);
	backend.disposeData(at.dataId);
	return results;
}

type Description = ReturnType<typeof describe>;

function describe({ query, keys, values, bias }: Inputs, at: TensorInfo) {
	const [batch, heads, tokens, headDim] = query.shape;
	const [, kvHeads, capacity] = (keys as Tensor).shape;
	const width = headDim % 4 === 0 ? (4 as const) : (1 as const);
	const steps = headDim / width;
	const type = width === 4 ? 'vec4<f32>' : 'f32';
	const inputs: Kernel['inputs'] = [['q', query, width], ['keys', keys, width], ['bias', bias], ['at', at]];
	return {
		batch, heads, tokens, headDim, capacity, width, steps, type, inputs,
		values: ['vals', values, width] as Kernel['inputs'][number],
		ints: { tokens, heads, kvHeads, group: heads / kvHeads, capacity, steps },
		floats: { scale: 1 / Math.sqrt(headDim) },
		key: `${width}_${steps}`,
		/** Functions that every program of attention shares. */
		common: `
const HIDDEN = -1e30;
fn product(a : ${type}, b : ${type}) -> f32 { return ${width === 4 ? 'dot(a, b)' : 'a * b'}; }
// Bias of a place as query t of the pass sees it.
fn seen(base : i32, place : i32, t : i32) -> f32 {
	let own = place - at[base];
	if (own >= 0 && own < uniforms.tokens) { return select(HIDDEN, 0.0, own <= t); }
	return bias[base * uniforms.capacity + place];
}`
	};
}

/** Places whose scores are held at once. */
const TILE = 128;

/**
 * One workgroup a query, walking the places in tiles with a running softmax. In a tile every thread
 * first scores its share of the places; then threads turn to channels: lane c of a team adds up
 * channel c over the team's share. Loops are bounded by uniforms, or compilers unroll them at length.
 */
function readOut(backend: WebGPUBackend, pass: Description, withLog: boolean): TensorInfo {
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

/** Columns `first`… of packed rows as a tensor of their own. */
function column(backend: WebGPUBackend, packed: TensorInfo, shape: number[], first: number): TensorInfo {
	const size = shape.reduce((a, b) => a * b, 1);
	return runProgram(backend, {
		key: 'attention_column',
		inputs: [['x', packed]],
		result: shape,
		ints: { width: size / packed.shape[0], stride: packed.shape[1], first, size },
		groups: flatGroups(size, 64),
		threads: 64,
		code: `
fn main() {
	let i = ${flatIndex(64)};
	if (i >= uniforms.size) { return; }
	result[i] = x[(i / uniforms.width) * uniforms.stride + uniforms.first + i % uniforms.width];
}`
	});
}

/** One thread a probability. */
function probabilities(backend: WebGPUBackend, pass: Description, log: TensorInfo): TensorInfo {
	const { batch, heads, tokens, capacity } = pass;
	const size = batch * heads * tokens * capacity;
	return runProgram(backend, {
		key: `attention_p_${pass.width}`,
		inputs: [...pass.inputs, ['logs', log]],
		result: [batch, heads, tokens, capacity],
		ints: { ...pass.ints, size },
		floats: pass.floats,
		groups: flatGroups(size, 64),
		threads: 64,
		code: `${pass.common}
fn main() {
	let i = ${flatIndex(64)};
	if (i >= uniforms.size) { return; }
	let place = i % uniforms.capacity;
	let row = i / uniforms.capacity;
	let head = row / uniforms.tokens;
	let base = (head / uniforms.heads) * uniforms.kvHeads + (head % uniforms.heads) / uniforms.group;
	let extra = seen(base, place, row % uniforms.tokens);
	if (extra <= -1e29) { result[i] = 0.0; return; }
	var dots = 0.0;
	for (var j = 0; j < uniforms.steps; j++) { dots += product(q[row * uniforms.steps + j], keys[(base * uniforms.capacity + place) * uniforms.steps + j]); }
	result[i] = exp(dots * uniforms.scale + extra - logs[row]);
}`
	});
}

/** One thread a column: it walks the queries of the pass, so nothing of size tokens x capacity exists. */
function columnSums(backend: WebGPUBackend, pass: Description, log: TensorInfo): TensorInfo {
	const { batch, heads, capacity } = pass;
	const size = batch * heads * capacity;
	return runProgram(backend, {
		key: `attention_sums_${pass.width}`,
		inputs: [...pass.inputs, ['logs', log]],
		result: [batch, heads, capacity],
		ints: { ...pass.ints, size },
		floats: pass.floats,
		groups: flatGroups(size, 64),
		threads: 64,
		code: `${pass.common}
fn main() {
	let i = ${flatIndex(64)};
	if (i >= uniforms.size) { return; }
	let place = i % uniforms.capacity;
	let head = i / uniforms.capacity;
	let base = (head / uniforms.heads) * uniforms.kvHeads + (head % uniforms.heads) / uniforms.group;
	let key = (base * uniforms.capacity + place) * uniforms.steps;
	var sum = 0.0;
	for (var t = 0; t < uniforms.tokens; t++) {
		let extra = seen(base, place, t);
		if (extra <= -1e29) { continue; }
		let row = head * uniforms.tokens + t;
		var dots = 0.0;
		for (var j = 0; j < uniforms.steps; j++) { dots += product(q[row * uniforms.steps + j], keys[key + j]); }
		sum += exp(dots * uniforms.scale + extra - logs[row]);
	}
	result[i] = sum;
}`
	});
}
