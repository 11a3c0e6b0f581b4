/** LayerNorm, Ba, Kiros & Hinton 2016: (x - mean) / sqrt(variance + eps) * weight + bias, row by row. */
import type { Tensor } from '@tensorflow/tfjs-core';
import { registerOp, runOp } from '../kernel.ts';
import { stock } from './stock.ts';
import { webgpu } from './kernel.wgsl.ts';

registerOp({ name: 'WinnowLayerNorm', webgpu, stock });

/** `x` [rows, width], `weight` and `bias` [width] -> [rows, width]. The variance is that of the row, over width. */
export function layerNorm(x: Tensor, weight: Tensor, bias: Tensor, eps: number): Tensor {
	return runOp('WinnowLayerNorm', { x, weight, bias }, { eps });
}
