/**
 * Attention of few tokens a row on software adapters, in two programs without a barrier: there a workgroup that waits
 * costs more than what it computes, and a load many times a product. Scores first, then sums of values. A
 * thread works for all query heads of a KV head (or some of them), so that a key and a value are loaded once for all,
 * and scores several places, so that a query is loaded once for those.
 */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { runProgram, writtenOut } from '../program.ts';
import { BLOCK, BLOCK_NUMBERS, isRead, leaveBlock, nextWeights, startSoftmax, weightOf } from './online.wgsl.ts';
import type { PassDescription } from './pass.ts';

/** Threads of a workgroup of scores; each scores a block of places. */
const THREADS = 32;
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

/** Blocks of places that a row has room for, so that the tensor keeps its size, and those that are in use. */
const blocksOf = (capacity: number, used: number) => ({ blocks: Math.ceil(capacity / BLOCK), live: Math.ceil(used / BLOCK) });

/** [batch x heads x tokens, blocks of places] as `leaveBlock` leaves them. */
function scoresOf(backend: WebGPUBackend, { batch, heads, tokens, capacity, inputs, ints, floats, key, common }: PassDescription, plan: Plan): TensorInfo {
	const { queries, parts } = plan;
	const each = (body: (g: string) => string) => writtenOut('g', queries, body);
	const all = (body: (p: string) => string) => writtenOut('p', BLOCK, body);
	const { blocks, live } = blocksOf(capacity, ints.used);
	return runProgram(backend, {
		key: `attention_scores_${key}_${parts}_${queries}`,
		inputs, result: [batch * heads * tokens, blocks * BLOCK_NUMBERS], components: 4, ints: { ...ints, blocks, live }, floats,
		groups: [Math.ceil(live / THREADS), ints.kvHeads * parts, batch * tokens], threads: THREADS,
		code: () => `${common}
fn main() {
	let block = i32(workgroupId.x) * ${THREADS} + i32(localId.x);
	if (block >= uniforms.live) { return; }
	${placesOf(plan)}
	let appended = at[base];
	${all((p) => `let place${p} = min(block * ${BLOCK} + ${p}, uniforms.capacity - 1);
	let extra${p} = select(HIDDEN, seenAfter(appended, base, place${p}, t), block * ${BLOCK} + ${p} < uniforms.used);
	let at${p} = (base * uniforms.capacity + place${p}) * uniforms.steps;
	${each((g) => `var s${g}_${p} = 0.0;`)}`)}
	let any = ${Array.from({ length: BLOCK }, (_, p) => `extra${p} > -1e29`).join(' || ')};
	for (var j = 0; j < select(0, uniforms.steps, any); j++) {
		${all((p) => `let key${p} = keys[at${p} + j];`)}
		${each((g) => `{ let a = q[row${g} * uniforms.steps + j]; ${all((p) => `s${g}_${p} += product(a, key${p});`)} }`)}
	}
	${each((g) => all((p) => `s${g}_${p} *= uniforms.scale;`))}
	${leaveBlock(queries, 'uniforms.blocks')}
}`
	});
}

/** A thread adds up some channels of the queries of a KV head. */
function sumsOf(backend: WebGPUBackend, { batch, heads, tokens, headDim, steps, type, capacity, values, appended, ints, key, put }: PassDescription, plan: Plan, scores: TensorInfo, withLog: boolean): TensorInfo {
	const { queries, parts } = plan;
	const stride = headDim + Number(withLog);
	const own = Math.min(ELEMENTS, steps);
	const each = (body: (g: string) => string) => writtenOut('g', queries, body);
	const all = (body: (e: string) => string) => writtenOut('e', own, body);
	const { blocks, live } = blocksOf(capacity, ints.used);
	return runProgram(backend, {
		key: `attention_sums_${key}_${parts}_${queries}_${withLog}`,
		inputs: [['scores', scores, 4], values, appended], result: withLog ? [batch * heads * tokens, stride] : [batch, heads, tokens, headDim],
		ints: { ...ints, blocks, live }, groups: [Math.ceil(steps / (own * SUM_THREADS)), ints.kvHeads * parts, batch * tokens], threads: SUM_THREADS,
		code: () => `
fn main() {
	let first = (i32(workgroupId.x) * ${SUM_THREADS} + i32(localId.x)) * ${own};
	if (first >= ${steps}) { return; }
	${placesOf(plan)}
	let appended = at[base] + t;
	${startSoftmax(queries)}
	${each((g) => `let from${g} = row${g} * uniforms.blocks; ${all((e) => `var sum${g}_${e} = ${type}(0.0);`)}`)}
	for (var block = 0; block < uniforms.live; block++) {
		${nextWeights(queries, 'uniforms.live', (g) => Array.from({ length: own }, (_, e) => `sum${g}_${e}`))}
		// Instead of a hidden place, whose value may be no number, the query's own is read, and counts nothing. A branch was measured to take 1.4 times as long.
		${writtenOut('p', BLOCK, (p) => `{
			let place = select(appended, block * ${BLOCK} + ${p}, ${isRead(queries, p)});
			let row = (base * uniforms.capacity + place) * ${steps};
			${all((e) => `{ let value = vals[row + ${steps % own ? `min(first + ${e}, ${steps - 1})` : `first + ${e}`}]; ${each((g) => `sum${g}_${e} += ${weightOf(g, p)} * value;`)} }`)}
		}`)}
	}
	${each((g) => `if (part * ${queries} + ${g} < uniforms.group) {
		${all((e) => `if (first + ${e} < ${steps}) { ${put(`row${g} * ${stride}`, `(first + ${e})`, `(sum${g}_${e} / total${g})`)} }`)}
		${withLog ? `if (first == 0) { result[row${g} * ${stride} + ${headDim}] = peak${g} + log(total${g}); }` : ''}
	}`)}
}`
	});
}
