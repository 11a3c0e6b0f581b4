/** RMSNorm, Zhang & Sennrich 2019: x / sqrt(mean(x^2) + eps) * weight, row by row. */
import type { Tensor } from '@tensorflow/tfjs-core';
import { registerOp, runOp } from '../kernel.ts';
import { stock } from './stock.ts';
import { webgpu } from './kernel.wgsl.ts';

registerOp({ name: 'WinnowRmsNorm', webgpu, stock });

/** `x` [rows, width], `weight` [width] -> [rows, width]. */
export function rmsNorm(x: Tensor, weight: Tensor, eps: number): Tensor {
	return runOp('WinnowRmsNorm', { x, weight }, { eps });
}
