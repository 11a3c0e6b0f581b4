/**
 * From the rows of a projection to heads, rotated (rotary position embedding, Su et al. 2021, in
 * the rotate-half form: channel i pairs with channel i + headDim/2).
 */
import * as tf from '@tensorflow/tfjs-core';
import { uploaded } from '../buffers.ts';
import { registerOp, runOp, type Inputs } from '../kernel.ts';
import { stock, stockOfAll } from './stock.ts';
import { webgpu, webgpuOfAll } from './kernel.wgsl.ts';

registerOp({ name: 'WinnowHeads', webgpu, stock });
registerOp({ name: 'WinnowAllHeads', webgpu: webgpuOfAll, stock: stockOfAll });

/** Cosines and signed sines of a pass, [batch, 1, tokens, headDim] each. */
export interface Rotation {
	cos: tf.Tensor;
	/** Negative in the lower half of the channels. */
	sin: tf.Tensor;
	dispose(): void;
}

/** Angles of row b: (start[b] + t) * invFreq, in float64, for any sign of position. */
export function rotation(start: ArrayLike<number>, tokens: number, invFreq: Float64Array): Rotation {
	const half = invFreq.length;
	const cos = new Float32Array(start.length * tokens * half * 2);
	const sin = new Float32Array(cos.length);
	for (let b = 0; b < start.length; b++) {
		for (let t = 0; t < tokens; t++) {
			const base = (b * tokens + t) * half * 2;
			for (let i = 0; i < half; i++) {
				const angle = (start[b] + t) * invFreq[i];
				cos[base + i] = cos[base + half + i] = Math.cos(angle);
				sin[base + half + i] = Math.sin(angle);
				sin[base + i] = -sin[base + half + i];
			}
		}
	}
	const shape = [start.length, 1, tokens, half * 2];
	const tensors = { cos: uploaded(cos, shape), sin: uploaded(sin, shape) };
	return { ...tensors, dispose: () => tf.dispose([tensors.cos, tensors.sin]) };
}

export interface HeadsLayout {
	batch: number;
	tokens: number;
	heads: number;
	headDim: number;
	/** First column of `x` that belongs to these heads. */
	first: number;
}

/** `x` [batch x tokens, columns] -> [batch, heads, tokens, headDim]; rotated when a rotation is given. */
export function splitHeads(x: tf.Tensor, layout: HeadsLayout, angles?: Rotation): tf.Tensor {
	const inputs: Inputs = angles ? { x, cos: angles.cos, sin: angles.sin } : { x };
	return runOp('WinnowHeads', inputs, { ...layout, direction: 'split' });
}

/** Columns of `x` by what they are: query heads, then as many key heads as value heads. */
export interface AllHeadsLayout {
	batch: number;
	tokens: number;
	heads: number;
	kvHeads: number;
	headDim: number;
}

/**
 * `x` [batch x tokens, (heads + 2 kvHeads) x headDim] -> query [batch, heads, tokens, headDim], key and value
 * [batch, kvHeads, tokens, headDim]; query and key rotated when a rotation is given. As three `splitHeads`, in one kernel.
 */
export function splitAllHeads(x: tf.Tensor, layout: AllHeadsLayout, angles?: Rotation): { query: tf.Tensor; key: tf.Tensor; value: tf.Tensor } {
	const inputs: Inputs = angles ? { x, cos: angles.cos, sin: angles.sin } : { x };
	const [query, key, value] = runOp<tf.Tensor[]>('WinnowAllHeads', inputs, { ...layout });
	return { query, key, value };
}

/** [batch, heads, tokens, headDim] -> [batch x tokens, heads x headDim]. */
export function joinHeads(x: tf.Tensor): tf.Tensor {
	const [batch, heads, tokens, headDim] = x.shape;
	if (tokens === 1) return tf.reshape(x, [batch, heads * headDim]);
	return runOp('WinnowHeads', { x }, { batch, heads, tokens, headDim, first: 0, direction: 'join' });
}

/** Rotates heads that are already split: [batch, heads, tokens, headDim] by the pass's angles. */
export function rope(x: tf.Tensor, angles: Rotation): tf.Tensor {
	const [batch, heads, tokens, headDim] = x.shape;
	return runOp('WinnowHeads', { x, cos: angles.cos, sin: angles.sin },
		{ batch, heads, tokens, headDim, first: 0, direction: 'rotate' });
}
