import * as tf from '@tensorflow/tfjs-core';
import type { Attrs, Inputs } from '../kernel.ts';
import { hostView, type Numbers } from '../buffers.ts';
import { isFew } from '../few.ts';
import { stock as swiGlu } from '../swi-glu/stock.ts';
import { hostMatMul } from './host.ts';
import type { Added } from './index.ts';

/** Stock product on wasm ([inputs, outputs] weights), loops on cpu ([outputs, inputs]). */
export function stock({ x, w, plus, bias }: Inputs, { rowMajorOutputs, gated }: Attrs): tf.Tensor {
	const added = { plus, bias };
	const all = rowMajorOutputs && tf.getBackend() === 'cpu' ? hostMatMul(x, w, added) : product(x, w, added, rowMajorOutputs as boolean);
	return gated ? swiGlu({ gateUp: all }) : all;
}

/** Stock product; what is added to few numbers is added where they stand. */
function product(x: tf.Tensor, w: tf.Tensor, added: Added, rowMajorOutputs: boolean): tf.Tensor {
	const bare: tf.Tensor = tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D, false, rowMajorOutputs);
	const { plus, bias } = added;
	if (!isFew(bare)) return plusAll(bare, added);
	const sums = hostView(bare);
	if (bias) addInto(sums, hostView(bias));
	if (plus) addInto(sums, hostView(plus));
	return bare;
}

/** Adds `more` to every row of `sums`, or to all of it. */
function addInto(sums: Numbers, more: Numbers): void {
	for (let at = 0; at < sums.length; at += more.length) {
		for (let i = 0; i < more.length; i++) sums[at + i] += more[i];
	}
}

/** Stock ops alone. */
export function composed(x: tf.Tensor, w: tf.Tensor, added: Added, rowMajorOutputs: boolean): tf.Tensor {
	return plusAll(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D, false, rowMajorOutputs), added);
}

function plusAll(bare: tf.Tensor, { plus, bias }: Added): tf.Tensor {
	const shifted = bias ? tf.add(bare, bias) : bare;
	return plus ? tf.add(shifted, plus) : shifted;
}
