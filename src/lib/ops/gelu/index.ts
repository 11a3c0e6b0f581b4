/**
 * GELU, Hendrycks & Gimpel 2016, in the form with tanh that GPT-2 was trained with:
 * x/2 (1 + tanh u) = x / (1 + exp(-2u)) with u = sqrt(2/pi) (x + 0.044715 x^3).
 */
import type { Tensor } from '@tensorflow/tfjs-core';
import { registerOp, runOp } from '../kernel.ts';
import { stock } from './stock.ts';
import { webgpu } from './kernel.wgsl.ts';

registerOp({ name: 'WinnowGelu', webgpu, stock });

/** Number by number; any shape. */
export function gelu(x: Tensor): Tensor {
	return runOp('WinnowGelu', { x });
}
