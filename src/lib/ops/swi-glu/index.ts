/** SwiGLU, Shazeer 2020: silu(gate) * up. */
import type { Tensor } from '@tensorflow/tfjs-core';
import { registerOp, runOp } from '../kernel.ts';
import { stock } from './stock.ts';
import { webgpu } from './kernel.wgsl.ts';

registerOp({ name: 'WinnowSwiGlu', webgpu, stock });

/** `gateUp` [rows, 2 x width], gate first -> [rows, width]. */
export function swiGlu(gateUp: Tensor): Tensor {
	return runOp('WinnowSwiGlu', { gateUp });
}
