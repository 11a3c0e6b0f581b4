/**
 * Attention of few tokens a row on software adapters, in two programs without a barrier: there a workgroup that waits
 * costs more than what it computes, and a load many times a product. Scores first, then sums of values. A
 * thread works for all query heads of a KV head (or some of them), so that a key and a value are loaded once for all,
 * and scores several places, so that a query is loaded once for those.
 */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { runProgram, writtenOut } from '../program.ts';
import type { PassDescription } from './pass.ts';

/** Threads of a workgroup of scores, and places that a thread scores. */
const THREADS = 32;
const PLACES = 4;
/** Query heads of a thread: sums of more would not stay in registers. */
const MOST_HEADS = 4;
/** Threads of a workgroup of sums, and elements of values (vec4 or single channels) that a thread adds up. */
const SUM_THREADS = 4;
const ELEMENTS = 4;

interface Plan {
	/** Query heads of a thread. */
	queries: number;
	/** Threads that share out the query heads of a KV head. */
	parts: number;
}

/** [batch, heads, tokens, headDim], or rows of headDim + 1 with the log-sum-exp last. */
export function readShared(backend: WebGPUBackend, pass: PassDescription, withLog: boolean): TensorInfo {
	const { group } = pass.ints;
	const parts = Math.ceil(group / MOST_HEADS);
	const plan = { parts, queries: Math.ceil(group / parts) };
	const scores = scoresOf(backend, pass, plan);
	const result = sumsOf(backend, pass, plan, scores, withLog);
	backend.disposeData(scores.dataId);
	return result;
}

/**
 * WGSL: the KV head, the token and the query rows of a workgroup; divisions of indices cost too much to make for each
 * thread. The last part of a KV head may have fewer heads and repeats its last one.
 */
const placesOf = ({ queries, parts }: Plan) => `
	let base = i32(workgroupId.z) / uniforms.tokens * uniforms.kvHeads + i32(workgroupId.y) / ${parts};
	let t = i32(workgroupId.z) % uniforms.tokens;
	let part = i32(workgroupId.y) % ${parts};
	${writtenOut('g', queries, (g) => `let row${g} = (base * uniforms.group + min(part * ${queries} + ${g}, uniforms.group - 1)) * uniforms.tokens + t;`)}`;

/** [batch x heads x tokens, capacity], -1e30 where a place is hidden. */
function scoresOf(backend: WebGPUBackend, { batch, heads, tokens, capacity, inputs, ints, floats, key, common }: PassDescription, plan: Plan): TensorInfo {
	const { queries, parts } = plan;
	const each = (body: (g: string) => string) => writtenOut('g', queries, body);
	const all = (body: (p: string) => string) => writtenOut('p', PLACES, body);
	return runProgram(backend, {
		key: `attention_scores_${key}_${parts}_${queries}`,
		inputs, result: [batch * heads * tokens, capacity], ints, floats,
		groups: [Math.ceil(capacity / (PLACES * THREADS)), ints.kvHeads * parts, batch * tokens], threads: THREADS,
		code: `${common}
fn main() {
	let first = (i32(workgroupId.x) * ${THREADS} + i32(localId.x)) * ${PLACES};
	if (first >= uniforms.capacity) { return; }
	${placesOf(plan)}
	let appended = at[base];
	${all((p) => `let place${p} = min(first + ${p}, uniforms.capacity - 1);
	let extra${p} = seenAfter(appended, base, place${p}, t);
	let at${p} = (base * uniforms.capacity + place${p}) * uniforms.steps;
	${each((g) => `var score${g}_${p} = HIDDEN;`)}`)}
	if (${Array.from({ length: PLACES }, (_, p) => `extra${p} > -1e29`).join(' || ')}) {
		${each((g) => all((p) => `score${g}_${p} = 0.0;`))}
		for (var j = 0; j < uniforms.steps; j++) {
			${all((p) => `let key${p} = keys[at${p} + j];`)}
			${each((g) => `{ let a = q[row${g} * uniforms.steps + j]; ${all((p) => `score${g}_${p} += product(a, key${p});`)} }`)}
		}
		${each((g) => all((p) => `score${g}_${p} = select(HIDDEN, score${g}_${p} * uniforms.scale + extra${p}, extra${p} > -1e29);`))}
	}
	${each((g) => all((p) => `result[row${g} * uniforms.capacity + place${p}] = score${g}_${p};`))}
}`
	});
}

/** A thread adds up some channels of the queries of a KV head. */
function sumsOf(backend: WebGPUBackend, { batch, heads, tokens, headDim, steps, type, values, ints, key, put }: PassDescription, plan: Plan, scores: TensorInfo, withLog: boolean): TensorInfo {
	const { queries, parts } = plan;
	const stride = headDim + Number(withLog);
	const own = Math.min(ELEMENTS, steps);
	const each = (body: (g: string) => string) => writtenOut('g', queries, body);
	const all = (body: (e: string) => string) => writtenOut('e', own, body);
	return runProgram(backend, {
		key: `attention_sums_${key}_${parts}_${queries}_${withLog}`,
		inputs: [['scores', scores], values], result: withLog ? [batch * heads * tokens, stride] : [batch, heads, tokens, headDim],
		ints, groups: [Math.ceil(steps / (own * SUM_THREADS)), ints.kvHeads * parts, batch * tokens], threads: SUM_THREADS,
		code: `
fn main() {
	let first = (i32(workgroupId.x) * ${SUM_THREADS} + i32(localId.x)) * ${own};
	if (first >= ${steps}) { return; }
	${placesOf(plan)}
	${each((g) => `let from${g} = row${g} * uniforms.capacity; var peak${g} = -1e38; var total${g} = 0.0; ${all((e) => `var sum${g}_${e} = ${type}(0.0);`)}`)}
	for (var place = 0; place < uniforms.capacity; place++) {
		${each((g) => `peak${g} = max(peak${g}, scores[from${g} + place]);`)}
	}
	for (var place = 0; place < uniforms.capacity; place++) {
		let score0 = scores[from0 + place];
		// A place is hidden from all heads alike.
		if (score0 > -1e29) {
			let at = (base * uniforms.capacity + place) * ${steps} + first;
			${each((g) => `let weight${g} = exp(${g === '0' ? 'score0' : `scores[from${g} + place]`} - peak${g}); total${g} += weight${g};`)}
			${all((e) => `{ let value = vals[${steps % own ? `min(at + ${e}, (base * uniforms.capacity + place + 1) * ${steps} - 1)` : `at + ${e}`}]; ${each((g) => `sum${g}_${e} += weight${g} * value;`)} }`)}
		}
	}
	${each((g) => `if (part * ${queries} + ${g} < uniforms.group) {
		${all((e) => `if (first + ${e} < ${steps}) { ${put(`row${g} * ${stride}`, `(first + ${e})`, `(sum${g}_${e} / total${g})`)} }`)}
		${withLog ? `if (first == 0) { result[row${g} * ${stride} + ${headDim}] = peak${g} + log(total${g}); }` : ''}
	}`)}
}`
	});
}
