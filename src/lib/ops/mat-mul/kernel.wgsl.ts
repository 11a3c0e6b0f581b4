import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Attrs, Inputs } from '../kernel.ts';
import { profile } from '../profile.ts';
import { webgpu as swiGlu } from '../swi-glu/kernel.wgsl.ts';
import { gemm } from './gemm.wgsl.ts';
import { MATVEC_ROWS, matVec } from './matvec.wgsl.ts';
import { describe } from './product.ts';

/** Few rows: matvec, twice over the weight at most; many rows: tiles. */
export function webgpu(backend: WebGPUBackend, inputs: Inputs, attrs: Attrs): TensorInfo {
	const few = inputs.x.shape[0] <= 2 * MATVEC_ROWS;
	if (few) return matVec(backend, describe(inputs, attrs), profile());
	const all = gemm(backend, describe(inputs, { ...attrs, gated: false }), profile());
	if (!attrs.gated) return all;
	const result = swiGlu(backend, { gateUp: all as Inputs[string] });
	backend.disposeData(all.dataId);
	return result;
}
