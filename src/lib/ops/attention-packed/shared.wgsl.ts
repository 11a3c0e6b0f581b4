/**
 * Reading pages on software adapters, in two programs without a barrier, as attention over float32 places does it
 * (`../attention/shared.wgsl.ts`): scores of a block of places of a page a thread, then sums over some words of channels
 * a thread. A load costs there many times a product, so a word of codes is loaded once for all query heads of a KV head.
 */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { BLOCK, BLOCK_NUMBERS, isRead, leaveBlock, nextWeights, startSoftmax, weightOf } from '../attention/online.wgsl.ts';
import { runProgram, type Kernel } from '../program.ts';
import { formatName } from './format.ts';
import { each, fourCodes, fourRulers, readers, wordsPerGroup } from './page.wgsl.ts';
import type { PackedPlan } from './plan.ts';
import { partWidth } from './read-pages.wgsl.ts';

/** Threads of a workgroup of scores, and of sums. */
const THREADS = 32;
const SUM_THREADS = 4;
/** Channels that a thread adds up, at most. */
const CHANNELS = 16;

/** Whether pages can be read so: codes fill their words, and rulers of values cover whole words. */
export function readsShared({ format: { headDim, rows, key, value }, key: keyRulers, value: valueRulers }: PackedPlan): boolean {
	const full = headDim % 4 === 0 && rows % BLOCK === 0 && [key, value].every(({ bits }) => (headDim * bits) % 32 === 0);
	return full && keyRulers !== 'any' && valueRulers === 'words';
}

/** Blocks of places of a page that a thread scores: the more, the fewer times a query and a page's rulers are loaded. */
const blocksOf = (rows: number) => (rows % (2 * BLOCK) === 0 ? 2 : 1);

export interface SharedPages {
	/** Rows of query heads that have pages, then tokens; `partWidth` numbers each: sums, peak, denominator. */
	parts: TensorInfo;
	/** The same rows; the blocks of places of the table's slots, as `leaveBlock` leaves them. */
	scores: TensorInfo;
}

/** `inputs`: q, pool, table. `ints`: batch, allHeads, heads, kvHeads, tokens, slots. `used` slots at most are read. */
export function readShared(
	backend: WebGPUBackend, plan: PackedPlan, inputs: Kernel['inputs'], ints: Record<string, number>, rows: number, used: number
): SharedPages {
	const { format, chunks, queries } = plan;
	const [q, pool, table] = inputs;
	const all = rows * ints.heads * ints.tokens;
	const name = `${formatName(format)}_${queries}_${chunks}`;
	const inPage = format.rows / BLOCK;
	const blocks = used * inPage;
	const scores = runProgram(backend, {
		key: `packed_scores_${name}`, inputs: [[q[0], q[1], 4], pool, table], result: [all, ints.slots * inPage * BLOCK_NUMBERS], components: 4,
		ints: { ...ints, blocks }, floats: { scale: 1 / Math.sqrt(format.headDim) },
		groups: [Math.ceil(blocks / blocksOf(format.rows) / THREADS), ints.kvHeads * chunks, rows * ints.tokens], threads: THREADS, code: () => scoresCode(plan)
	});
	const words = wordsOf(plan);
	const parts = runProgram(backend, {
		key: `packed_sums_${name}`, inputs: [['scores', scores, 4], pool, table], result: [all, partWidth(format.headDim)],
		ints, groups: [Math.ceil(plan.layout.value.words / (words * SUM_THREADS)), ints.kvHeads * chunks, rows * ints.tokens], threads: SUM_THREADS,
		code: () => sumsCode(plan, words)
	});
	return { parts, scores };
}

/** Words of a value that a thread adds up: as many as have one ruler and share out the row evenly. */
function wordsOf({ format: { value }, layout: { value: side } }: PackedPlan): number {
	const ruled = wordsPerGroup(value, side.words);
	let words = Math.min((CHANNELS * value.bits) / 32, side.words);
	while (side.words % words !== 0 || ruled % words !== 0) words--;
	return words;
}

/**
 * WGSL: the head of a workgroup and its queries' rows among those that have pages. The last chunk of a KV head may
 * have fewer queries and repeats its last one.
 */
const whose = ({ queries, chunks }: PackedPlan) => `
	let group = uniforms.heads / uniforms.kvHeads;
	let nth = i32(workgroupId.z) / uniforms.tokens;
	let t = i32(workgroupId.z) % uniforms.tokens;
	let kvHead = i32(workgroupId.y) / ${chunks};
	let head = table[nth] * uniforms.kvHeads + kvHead;
	let slotsHere = table[2 * uniforms.batch + head];
	${each(queries, (g) => `let queryHead${g} = kvHead * group + min(i32(workgroupId.y) % ${chunks} * ${queries} + ${g}, group - 1);
	let row${g} = (nth * uniforms.heads + queryHead${g}) * uniforms.tokens + t;`)}`;

/** Bindings: q (vec4), pool, table. */
function scoresCode(plan: PackedPlan): string {
	const { format: { headDim, rows, key }, layout: { key: side }, queries } = plan;
	const inPage = rows / BLOCK;
	const [blocks, places] = [blocksOf(rows), blocksOf(rows) * BLOCK];
	const all = (body: (g: number, p: number) => string) => each(queries, (g) => each(places, (p) => body(g, p)));
	const words = plan.key === 'channel' ? side.words : wordsPerGroup(key, side.words);
	const groups = plan.key === 'channel' ? 1 : side.groups;
	// Rulers of channels are worked into the query; those of a token come in once a group.
	const four = (j: number) => `{ let v = w * ${side.perWord} + ${j};
				${plan.key === 'channel' ? fourRulers('key', headDim, '0') : ''}
				${each(queries, (g) => `let own${g} = q[from${g} + v] * uniforms.scale; ${plan.key === 'channel'
					? `zero${g} += dot(own${g}, zeros); let a${g} = own${g} * steps;` : `zero${g} += dot(own${g}, vec4<f32>(1.0)); let a${g} = own${g};`}`)}
				${each(places, (p) => `{ let codes = ${fourCodes(key, `bits${p}`, j)}; ${each(queries, (g) => `d${g}_${p} += dot(a${g}, codes);`)} }`)} }`;
	return `${readers(plan)}
fn main() {
	let block = (i32(workgroupId.x) * ${THREADS} + i32(localId.x)) * ${blocks};
	if (block >= uniforms.blocks) { return; }
	${whose(plan)}
	${each(queries, (g) => `let from${g} = ((table[nth] * uniforms.heads + queryHead${g}) * uniforms.tokens + t) * ${headDim / 4};`)}
	let slot = block / ${inPage};
	let r0 = block % ${inPage} * ${BLOCK};
	let found = pageAt(head, slot);
	let there = found >= 0 && slot < slotsHere;
	let page = max(0, found);
	${each(places, (p) => `let extra${p} = select(-1e30, bitcast<f32>(pool[page + r0 + ${p}]), there);`)}
	let any = ${Array.from({ length: places }, (_, p) => `extra${p} > -1e29`).join(' || ')};
	${all((g, p) => `var s${g}_${p} = 0.0;`)}
	// A thread that sees nothing goes round once: it cannot be spared on a software adapter.
	for (var g = 0; g < select(0, ${groups}, any); g++) {
		${all((g, p) => `var d${g}_${p} = 0.0;`)}
		${each(queries, (g) => `var zero${g} = 0.0;`)}
		for (var w = g * ${words}; w < min((g + 1) * ${words}, ${side.words}); w++) {
			${each(places, (p) => `let bits${p} = word(page + ${side.codes} + w * ${rows} + r0 + ${p});`)}
			${each(side.perWord, four)}
		}
		${plan.key === 'channel'
			? all((g, p) => `s${g}_${p} = d${g}_${p} + zero${g};`)
			: each(places, (p) => `{ let ruler = keyRuler(page, r0 + ${p}, g * ${key.group}); ${each(queries, (g) => `s${g}_${p} += ruler.x * d${g}_${p} + ruler.y * zero${g};`)} }`)}
	}
	${each(blocks, (nth) => leaveBlock(queries, `(uniforms.slots * ${inPage})`, nth))}
}`;
}

/** Bindings: scores (vec4), pool, table. `words` of a value a thread. */
function sumsCode(plan: PackedPlan, words: number): string {
	const { format: { headDim, rows, value }, layout: { value: side }, queries } = plan;
	const width = partWidth(headDim);
	const inPage = rows / BLOCK;
	const vectors = words * side.perWord;
	const sums = (g: number | string) => Array.from({ length: vectors }, (_, j) => `sum${g}_${j}`);
	const codes = (k: number) => `{ let bits = word(page + ${side.codes} + r * ${side.words} + mine + ${k});
				${each(side.perWord, (j) => `{ let four = ${fourCodes(value, 'bits', j)}; ${each(queries, (g) => `sum${g}_${k * side.perWord + j} += x${g} * four;`)} }`)} }`;
	return `${readers(plan)}
fn main() {
	let mine = (i32(workgroupId.x) * ${SUM_THREADS} + i32(localId.x)) * ${words};
	if (mine >= ${side.words}) { return; }
	${whose(plan)}
	${startSoftmax(queries)}
	${each(queries, (g) => `let from${g} = row${g} * (uniforms.slots * ${inPage}); var zero${g} = 0.0; ${sums(g).map((sum) => `var ${sum} = vec4<f32>(0.0);`).join(' ')}`)}
	let blocks = slotsHere * ${inPage};
	for (var block = 0; block < blocks; block++) {
		${nextWeights(queries, 'blocks', (g) => [`zero${g}`, ...sums(g)])}
		let page = max(0, pageAt(head, block / ${inPage}));
		let r0 = block % ${inPage} * ${BLOCK};
		${each(BLOCK, (p) => `{
			let r = r0 + ${p};
			// The ruler of a hidden row may be no number.
			let ruler = select(vec2<f32>(0.0), valueRuler(page, r, mine / ${wordsPerGroup(value, side.words)} * ${value.group}), ${isRead(queries, p)});
			${each(queries, (g) => `let x${g} = ${weightOf(g, p)} * ruler.x; zero${g} += ${weightOf(g, p)} * ruler.y;`)}
			${each(words, codes)}
		}`)}
	}
	${each(queries, (g) => `{ let at = row${g} * ${width};
		${each(vectors, (j) => each(4, (c) => `result[at + mine * ${4 * side.perWord} + ${4 * j + c}] = sum${g}_${j}[${c}] + zero${g};`))}
		if (mine == 0) { result[at + ${headDim}] = peak${g}; result[at + ${headDim + 1}] = total${g}; } }`)}
}`;
}
