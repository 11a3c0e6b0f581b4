import type { Tensor, TensorInfo } from '@tensorflow/tfjs-core';
import type { Inputs } from '../kernel.ts';
import type { Kernel } from '../program.ts';

export type PassDescription = ReturnType<typeof describe>;

/** What the programs of one attention call share: shapes, bindings, uniforms, and WGSL functions. */
export function describe({ query, keys, values, bias }: Inputs, at: TensorInfo) {
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
