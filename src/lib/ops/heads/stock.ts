import * as tf from '@tensorflow/tfjs-core';
import type { Attrs, Inputs } from '../kernel.ts';
import { isFew } from '../few.ts';
import { hostHeads } from './host.ts';
import type { AllHeadsLayout, HeadsLayout } from './index.ts';

type HeadsAttrs = HeadsLayout & { direction: 'split' | 'join' | 'rotate' };

export function stock(inputs: Inputs, attrs: Attrs): tf.Tensor {
	const wanted = attrs as unknown as HeadsAttrs;
	return wanted.tokens === 1 && wanted.direction !== 'join' && isFew(inputs.x) ? hostHeads(inputs, wanted) : composed(inputs, wanted);
}

/** One kind after another. */
export function stockOfAll({ x, cos, sin }: Inputs, attrs: Attrs): tf.Tensor[] {
	const { batch, tokens, heads, kvHeads, headDim } = attrs as unknown as AllHeadsLayout;
	const split = (count: number, before: number, inputs: Inputs) =>
		stock(inputs, { batch, tokens, heads: count, headDim, first: before * headDim, direction: 'split' });
	const turned: Inputs = cos ? { x, cos, sin } : { x };
	return [split(heads, 0, turned), split(kvHeads, heads, turned), split(kvHeads, heads + kvHeads, { x })];
}

/** Stock ops alone. */
export function composed({ x, cos, sin }: Inputs, { batch, tokens, heads, headDim, first, direction }: HeadsAttrs): tf.Tensor {
	if (direction === 'join') {
		return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [batch * tokens, heads * headDim]);
	}
	const split = direction === 'rotate' ? x : toHeads(x, { batch, tokens, heads, headDim, first });
	// A full slice may share its numbers with the source; a copy keeps the result its own.
	if (!cos) return split.dataId === x.dataId ? tf.mul(split, 1) : split;
	const half = headDim / 2;
	const lower = tf.slice(split, [0, 0, 0, 0], [batch, heads, tokens, half]);
	const upper = tf.slice(split, [0, 0, 0, half], [batch, heads, tokens, half]);
	return tf.add(tf.mul(split, cos), tf.mul(tf.concat([upper, lower], -1), sin));
}

function toHeads(x: tf.Tensor, { batch, tokens, heads, headDim, first }: HeadsLayout): tf.Tensor {
	const columns = tf.slice(x, [0, first], [batch * tokens, heads * headDim]);
	if (tokens === 1) return tf.reshape(columns, [batch, heads, 1, headDim]);
	return tf.transpose(tf.reshape(columns, [batch, tokens, heads, headDim]), [0, 2, 1, 3]);
}
