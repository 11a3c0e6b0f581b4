/** Heads of one token a row on wasm and cpu, by plain loops. */
import * as tf from '@tensorflow/tfjs-core';
import { hostView } from '../buffers.ts';
import type { Inputs } from '../kernel.ts';
import type { HeadsLayout } from './index.ts';

/** `x` [batch, columns], or heads already split -> [batch, heads, 1, headDim], turned where angles are given. */
export function hostHeads({ x, cos, sin }: Inputs, { batch, heads, headDim, first }: HeadsLayout): tf.Tensor {
	const columns = x.size / batch;
	const width = heads * headDim;
	const half = headDim / 2;
	const from = hostView(x);
	const out = new Float32Array(batch * width);
	const [c, s] = cos ? [hostView(cos), hostView(sin)] : [null, null];
	for (let b = 0; b < batch; b++) {
		const source = b * columns + first;
		if (!c || !s) {
			out.set(from.subarray(source, source + width), b * width);
			continue;
		}
		for (let i = 0; i < width; i++) {
			const channel = i % headDim;
			const partner = channel < half ? i + half : i - half;
			const angle = b * headDim + channel;
			out[b * width + i] = from[source + i] * c[angle] + from[source + partner] * s[angle];
		}
	}
	return tf.tensor(out, [batch, heads, 1, headDim]);
}
