/**
 * Attention of many tokens a row: a thread owns a query and walks the places four at a time with a
 * running softmax (Dao et al. 2022); nothing of size tokens x capacity exists. In the gpu profile a
 * workgroup's 64 queries share tiles of keys and values in workgroup memory. Tiles that this pass
 * appended after the workgroup's last query are left out.
 */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Profile } from '../profile.ts';
import { runProgram } from '../program.ts';
import { channelsOver, type PassDescription } from './pass.ts';

const QUERIES = { gpu: 64, software: 32 };

/** Places a tile: 8 KB of keys and values at most, for up to 256 channels. */
const placesOf = (headDim: number) => Math.max(4, Math.min(16, 4 * Math.floor(256 / headDim)));

/** [batch, heads, tokens, headDim], or rows of headDim + 1 with the log-sum-exp last. */
export function prefill(backend: WebGPUBackend, pass: PassDescription, withLog: boolean, profile: Profile): TensorInfo {
	const { batch, heads, tokens, headDim, steps, type, put } = pass;
	const queries = QUERIES[profile];
	const places = placesOf(headDim);
	const shared = profile === 'gpu';
	const stride = headDim + (withLog ? 1 : 0);
	const over = channelsOver(steps, profile);
	const number = (kind: 'keys' | 'vals', i: number, j: string) => shared
		? `${kind}Tile[(p + ${i}) * ${steps} + ${j}]`
		: `${kind}[at${i} + ${j}]`;
	const four = (f: (i: number) => string) => [0, 1, 2, 3].map(f);
	const load = `
		workgroupBarrier();
		for (var i = lane; i < ${places * steps}; i += ${queries}) {
			let source = min(tile + i / ${steps}, uniforms.capacity - 1) * ${steps} + i % ${steps} + base * uniforms.capacity * ${steps};
			keysTile[i] = keys[source];
			valsTile[i] = vals[source];
		}
		workgroupBarrier();`;
	return runProgram(backend, {
		key: `attention_prefill_${pass.key}_${profile}_${withLog}`,
		inputs: [...pass.inputs, pass.values],
		result: withLog ? [batch * heads * tokens, stride] : [batch, heads, tokens, headDim],
		ints: pass.ints,
		floats: pass.floats,
		groups: [Math.ceil(tokens / queries), heads, batch],
		threads: queries,
		code: () => `${pass.common}
${shared ? `var<workgroup> keysTile: array<${type}, ${places * steps}>;
var<workgroup> valsTile: array<${type}, ${places * steps}>;
var<workgroup> unseen: vec2<i32>;` : ''}
fn main() {
	let lane = i32(localId.x);
	let head = i32(workgroupId.z) * uniforms.heads + i32(workgroupId.y);
	let base = baseOf(head);
	let t0 = i32(workgroupId.x) * ${queries};
	let t = min(t0 + lane, uniforms.tokens - 1);
	let row = head * uniforms.tokens + t;
	var own : array<${type}, ${steps}>;
	var sum : array<${type}, ${steps}>;
	${over('j', steps, (j) => `own[${j}] = q[row * ${steps} + ${j}]; sum[${j}] = ${type}(0.0);`)}
	// Places that no query of this workgroup sees.
	${shared ? `if (lane == 0) { unseen = vec2<i32>(at[base] + min(t0 + ${queries}, uniforms.tokens), at[base] + uniforms.tokens); }
	let gap = workgroupUniformLoad(&unseen);` : `let gap = vec2<i32>(at[base] + min(t0 + ${queries}, uniforms.tokens), at[base] + uniforms.tokens);`}
	var peak = -1e38;
	var total = 0.0;
	for (var tile = 0; tile < uniforms.capacity; tile += ${places}) {
		if (tile >= gap.x && tile + ${places} <= gap.y) { continue; }
		${shared ? load : ''}
		for (var p = 0; p < ${places}; p += 4) {
			${four((i) => `let place${i} = min(tile + p + ${i}, uniforms.capacity - 1);
			let extra${i} = select(HIDDEN, seen(base, place${i}, t), tile + p + ${i} < uniforms.capacity);
			${shared ? '' : `let at${i} = (base * uniforms.capacity + place${i}) * ${steps};`}`).join('\n\t\t\t')}
			if (max(max(extra0, extra1), max(extra2, extra3)) <= -1e29) { continue; }
			var dots = vec4<f32>(0.0);
			${over('j', steps, (j) => `{ let a = own[${j}]; dots += vec4<f32>(${four((i) => `product(a, ${number('keys', i, j)})`).join(', ')}); }`)}
			let extra = vec4<f32>(extra0, extra1, extra2, extra3);
			let hidden = extra <= vec4<f32>(-1e29);
			let score = select(dots * uniforms.scale + extra, vec4<f32>(HIDDEN), hidden);
			let top = max(peak, max(max(score.x, score.y), max(score.z, score.w)));
			let weight = select(exp(score - top), vec4<f32>(0.0), hidden);
			let shrink = exp(peak - top);
			peak = top;
			total = total * shrink + dot(weight, vec4<f32>(1.0));
			${over('j', steps, (j) => `sum[${j}] = sum[${j}] * shrink${four((i) => ` + weight[${i}] * ${number('vals', i, j)}`).join('')};`)}
		}
	}
	if (t0 + lane >= uniforms.tokens) { return; }
	let out = row * ${stride};
	${over('j', steps, (j) => `{ let mean = sum[${j}] / total; ${put('out', j, 'mean')} }`)}
	${withLog ? `result[out + ${headDim}] = peak + log(total);` : ''}
}`
	});
}
