import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Attrs, Inputs } from '../kernel.ts';
import { coordinates, flat, runProgram } from '../program.ts';

export function webgpu(backend: WebGPUBackend, { source }: Inputs, attrs: Attrs): TensorInfo {
	const { index, rows, count } = attrs as { index: Int32Array; rows: Int32Array; count: number };
	const [, kvHeads, slots, headDim] = source.shape;
	const [places, sourceRows] = [index, rows].map((list) => backend.makeTensorInfo([list.length], 'int32', list.slice()));
	const size = index.length * headDim;
	const out = runProgram(backend, flat({
		key: 'gather',
		inputs: [['source', source], ['places', places], ['rows', sourceRows]],
		result: [rows.length, kvHeads, count, headDim],
		ints: { kvHeads, slots, headDim, count },
		size,
		body: () => `
	${coordinates('i', 'r', ['head', 'uniforms.kvHeads'], ['place', 'uniforms.count'], ['c', 'uniforms.headDim'])}
	let slot = places[i / uniforms.headDim];
	if (slot < 0) { result[i] = 0.0; return; }
	result[i] = source[((rows[r] * uniforms.kvHeads + head) * uniforms.slots + slot) * uniforms.headDim + c];`
	}));
	for (const { dataId } of [places, sourceRows]) backend.disposeData(dataId);
	return out;
}
