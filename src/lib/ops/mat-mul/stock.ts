import * as tf from '@tensorflow/tfjs-core';
import type { Attrs, Inputs } from '../kernel.ts';
import { stock as swiGlu } from '../swi-glu/stock.ts';
import { hostMatMul } from './host.ts';
import type { Added } from './index.ts';

/** Stock product on wasm ([inputs, outputs] weights), loops on cpu ([outputs, inputs]). */
export function stock({ x, w, plus, bias }: Inputs, { rowMajorOutputs, gated }: Attrs): tf.Tensor {
	const added = { plus, bias };
	const all = rowMajorOutputs && tf.getBackend() === 'cpu' ? hostMatMul(x, w, added) : product(x, w, added, rowMajorOutputs as boolean);
	return gated ? swiGlu({ gateUp: all }) : all;
}

/** Stock ops alone. */
export function product(x: tf.Tensor, w: tf.Tensor, { plus, bias }: Added, rowMajorOutputs: boolean): tf.Tensor {
	const bare: tf.Tensor = tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D, false, rowMajorOutputs);
	const shifted = bias ? tf.add(bare, bias) : bare;
	return plus ? tf.add(shifted, plus) : shifted;
}
