/**
 * One workgroup reads some pages of one KV head for the query heads that share it. In a tile, every
 * thread first scores its share of the places (codes times query; step and zero of a ruler come in
 * once a group); then threads turn to channels: a thread has one word of channels and adds it up over
 * its team's share of the places. What is left behind a query: sum, largest score, denominator.
 */
import { each, fourRulers, readers } from './page.wgsl.ts';
import type { PackedPlan } from './plan.ts';
import { addValues, scorePlace } from './tile.wgsl.ts';

/** Numbers that a workgroup leaves for a query: the sum of each channel, the peak, the denominator. */
export const partWidth = (headDim: number) => headDim + 2;

/** Bindings: q (f32), pool, table. `withScores`: raw scores of all places go behind the parts, from `scoresAt`. */
export function readPages(plan: PackedPlan, withScores: boolean): string {
	const { format: { headDim, rows }, layout: { key, value }, threads, pages, queries, chunks, vectors } = plan;
	const places = pages * rows;
	const teams = Math.floor(threads / value.words);
	const stage = plan.key === 'channel' ? turnQuery(plan) : '';
	return `${readers(plan)}
var<workgroup> query: array<vec4<f32>, ${queries * vectors}>;
${plan.key === 'channel'
		? `var<workgroup> scaled: array<vec4<f32>, ${pages * queries * vectors}>;
var<workgroup> zeroDots: array<f32, ${pages * queries * vectors}>;
var<workgroup> base: array<f32, ${pages * queries}>;`
		: plan.key === 'words' ? `var<workgroup> groupSums: array<f32, ${queries * key.groups}>;` : ''}
var<workgroup> scores: array<f32, ${queries * places}>;
var<workgroup> lanes: array<f32, ${queries * threads}>;
${plan.value === 'words' ? `var<workgroup> rulers: array<vec2<f32>, ${places * value.groups}>;` : ''}
var<workgroup> sums: array<vec4<f32>, ${threads * value.perWord}>;
var<workgroup> todo: i32;
fn main() {
	let lane = i32(localId.x);
	let group = uniforms.heads / uniforms.kvHeads;
	let chunk = (i32(workgroupId.y) % ${chunks}) * ${queries};
	let nth = i32(workgroupId.z) / uniforms.tokens;
	let t = i32(workgroupId.z) % uniforms.tokens;
	let head = table[nth] * uniforms.kvHeads + i32(workgroupId.y) / ${chunks};
	let queryHead = (i32(workgroupId.y) / ${chunks}) * group + chunk;
	let row = (table[nth] * uniforms.heads + queryHead) * uniforms.tokens + t;
	// The same, counting only rows that have pages.
	let part = (nth * uniforms.heads + queryHead) * uniforms.tokens + t;
	let first = i32(workgroupId.x) * uniforms.ahead;
	if (lane == 0) { todo = clamp(table[2 * uniforms.batch + head] - first, 0, uniforms.ahead); }
	let pagesHere = workgroupUniformLoad(&todo);
	if (pagesHere == 0) { return; }
	for (var i = lane; i < ${queries * vectors}; i += ${threads}) {
		var four = vec4<f32>(0.0);
		for (var k = 0; k < 4; k++) {
			let c = 4 * (i % ${vectors}) + k;
			if (c < ${headDim} && chunk + i / ${vectors} < group) { four[k] = q[(row + (i / ${vectors}) * uniforms.tokens) * ${headDim} + c] * uniforms.scale; }
		}
		query[i] = four;
	}
	workgroupBarrier();
	${plan.key === 'words' ? groupSums(plan) : ''}
	let team = lane / ${value.words};
	let mine = lane % ${value.words};
	${each(queries, (q) => `var peak${q} = -1e38; var total${q} = 0.0; var zero${q} = 0.0; ${each(value.perWord, (j) => `var sum${q}_${j} = vec4<f32>(0.0);`)}`)}
	for (var tile = 0; tile < pagesHere; tile += ${pages}) {
		let here = min(${pages}, pagesHere - tile);
		${stage}
		for (var i = lane; i < here * ${rows}; i += ${threads}) {
			let n = i / ${rows};
			let r = i % ${rows};
			let page = pageAt(head, first + tile + n);
			var extra = -1e30;
			if (page >= 0) { extra = bitcast<f32>(pool[page + r]); }
			${each(queries, (q) => `var s${q} = 0.0;`)}
			if (extra > -1e29) {${scorePlace(plan)}}
			${each(queries, (q) => `scores[${q * places} + i] = s${q} + extra;`)}
		}
		${plan.key === 'channel' ? `for (var i = lane; i < here * ${queries}; i += ${threads}) {
			var sum = 0.0;
			for (var v = 0; v < ${vectors}; v++) { sum += zeroDots[i * ${vectors} + v]; }
			base[i] = sum;
		}
		workgroupBarrier();` : ''}
		${each(queries, (q) => `var own${q} = peak${q};`)}
		for (var i = lane; i < here * ${rows}; i += ${threads}) {
			${each(queries, (q) => `{ let score = scores[${q * places} + i]${plan.key === 'channel' ? ` + base[(i / ${rows}) * ${queries} + ${q}]` : ''};
			scores[${q * places} + i] = score; own${q} = max(own${q}, score);
			${withScores ? `if (chunk + ${q} < group) { result[uniforms.scoresAt + ((part + ${q} * uniforms.tokens) * uniforms.slots + first + tile) * ${rows} + i] = score; }` : ''} }`)}
		}
		${each(queries, (q) => `lanes[${q * threads} + lane] = own${q};`)}
		workgroupBarrier();
		${each(queries, (q) => `var top${q} = peak${q};`)}
		for (var i = 0; i < ${threads}; i++) { ${each(queries, (q) => `top${q} = max(top${q}, lanes[${q * threads} + i]);`)} }
		${each(queries, (q) => `{ let shrink = exp(peak${q} - top${q}); peak${q} = top${q}; total${q} *= shrink; zero${q} *= shrink;
		${each(value.perWord, (j) => `sum${q}_${j} *= shrink;`)} }`)}
		for (var i = lane; i < here * ${rows}; i += ${threads}) {
			${each(queries, (q) => `{ let score = scores[${q * places} + i]; let weight = select(exp(score - peak${q}), 0.0, score <= -1e29);
			scores[${q * places} + i] = weight; total${q} += weight; }`)}
			${plan.value === 'words' ? `let page = max(0, pageAt(head, first + tile + i / ${rows}));
			for (var g = 0; g < ${value.groups}; g++) { rulers[i * ${value.groups} + g] = valueRuler(page, i % ${rows}, g * ${plan.format.value.group}); }` : ''}
		}
		workgroupBarrier();
		if (team < ${teams}) {${addValues(plan)}}
		workgroupBarrier();
	}
	${each(queries, (q) => `
	lanes[lane] = total${q};
	${each(value.perWord, (j) => `sums[lane * ${value.perWord} + ${j}] = sum${q}_${j} + zero${q};`)}
	workgroupBarrier();
	if (chunk + ${q} < group) {
		let at = ((part + ${q} * uniforms.tokens) * uniforms.splits + i32(workgroupId.x)) * ${partWidth(headDim)};
		for (var c = lane; c < ${headDim}; c += ${threads}) {
			var sum = 0.0;
			for (var i = c / 4; i < ${teams * value.words * value.perWord}; i += ${value.words * value.perWord}) { sum += sums[i][c % 4]; }
			result[at + c] = sum;
		}
		if (lane == 0) {
			var total = 0.0;
			for (var i = 0; i < ${threads}; i++) { total += lanes[i]; }
			result[at + ${headDim}] = peak${q};
			result[at + ${headDim + 1}] = total;
		}
	}
	workgroupBarrier();`)}
}`;
}

/** Sums of the query over the channels of each ruler: what its zero is multiplied with. */
function groupSums({ queries, vectors, threads, layout: { key }, format }: PackedPlan): string {
	// The whole row where one ruler covers it; otherwise a group is whole vectors.
	const width = key.groups === 1 ? vectors : format.key.group / 4;
	return `
	for (var i = lane; i < ${queries * key.groups}; i += ${threads}) {
		var sum = vec4<f32>(0.0);
		let start = (i % ${key.groups}) * ${width};
		for (var v = start; v < min(start + ${width}, ${vectors}); v++) { sum += query[(i / ${key.groups}) * ${vectors} + v]; }
		groupSums[i] = sum.x + sum.y + sum.z + sum.w;
	}
	workgroupBarrier();`;
}

/** Works the rulers of each page's channels into the query. */
function turnQuery({ queries, vectors, threads, format }: PackedPlan): string {
	return `
		for (var i = lane; i < here * ${vectors}; i += ${threads}) {
			let n = i / ${vectors};
			let v = i % ${vectors};
			let page = max(0, pageAt(head, first + tile + n));
			${fourRulers('key', format.headDim, '0')}
			for (var own = 0; own < ${queries}; own++) {
				let at = (n * ${queries} + own) * ${vectors} + v;
				scaled[at] = query[own * ${vectors} + v] * steps;
				zeroDots[at] = dot(query[own * ${vectors} + v], zeros);
			}
		}
		workgroupBarrier();`;
}
