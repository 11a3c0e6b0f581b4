import type { Tensor } from '@tensorflow/tfjs-core';
import type { Inputs } from '../kernel.ts';
import type { Profile } from '../profile.ts';
import { looped, writtenOut, type Kernel, type Over } from '../program.ts';

export type PassDescription = ReturnType<typeof describe>;

/** What the programs of one attention call share: shapes, bindings, uniforms, and WGSL functions. */
export function describe({ query, keys, values, bias }: Inputs, at: Int32Array, used: number) {
	const [batch, heads, tokens, headDim] = query.shape;
	const [, kvHeads, capacity] = (keys as Tensor).shape;
	const width = headDim % 4 === 0 ? (4 as const) : (1 as const);
	const steps = headDim / width;
	const type = width === 4 ? 'vec4<f32>' : 'f32';
	const appended: Kernel['inputs'][number] = ['at', at];
	const inputs: Kernel['inputs'] = [['q', query, width], ['keys', keys, width], ['bias', bias], appended];
	return {
		batch, heads, tokens, headDim, capacity, width, steps, type, inputs, appended,
		values: ['vals', values, width] as Kernel['inputs'][number],
		ints: { tokens, heads, kvHeads, group: heads / kvHeads, capacity, used, steps },
		floats: { scale: 1 / Math.sqrt(headDim) },
		key: `${width}_${steps}`,
		/** Functions that every program of attention shares. */
		common: `
const HIDDEN = -1e30;
fn product(a : ${type}, b : ${type}) -> f32 { return ${width === 4 ? 'dot(a, b)' : 'a * b'}; }
// Row of keys, values and bias that query head \`head\` (counted over the batch) reads.
fn baseOf(head : i32) -> i32 {
	return head / uniforms.heads * uniforms.kvHeads + head % uniforms.heads / uniforms.group;
}
// Bias of a place as query t of the pass sees it.
fn seen(base : i32, place : i32, t : i32) -> f32 { return seenAfter(at[base], base, place, t); }
// The same where the pass was appended at \`first\`.
fn seenAfter(first : i32, base : i32, place : i32, t : i32) -> f32 {
	let own = place - first;
	if (own >= 0 && own < uniforms.tokens) { return select(HIDDEN, 0.0, own <= t); }
	return bias[base * uniforms.capacity + place];
}`,
		/** Writes a value of `type` as channels of a row of f32 numbers that starts at `row`. */
		put: (row: string, step: string, value: string) => width === 4
			? [0, 1, 2, 3].map((c) => `result[${row} + ${step} * 4 + ${c}] = ${value}[${c}];`).join(' ')
			: `result[${row} + ${step}] = ${value};`
	};
}

/**
 * How a thread goes over the channels that it keeps to itself: written out, a GPU has them in registers;
 * software was measured to run loops three times as fast, and to compile them in a fraction of the time.
 */
export const channelsOver = (steps: number, profile: Profile): Over => (profile === 'gpu' && steps <= 16 ? writtenOut : looped);
