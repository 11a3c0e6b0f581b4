import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Attrs, Inputs } from '../kernel.ts';
import type { Kernel } from '../program.ts';
import type { WeightFormat } from './formats.ts';
import { sourceOf } from './source.wgsl.ts';

/** What kernels are told about a weight beside its tensors. */
export interface ProductAttrs {
	format: WeightFormat;
	inputs: number;
	outputs: number;
	rowMajorOutputs: boolean;
	/** The weight is a gate above an up projection, and silu(gate) x up is wanted: half the outputs. */
	gated: boolean;
}

export type Product = ReturnType<typeof describe>;

/** What every program of a product shares: shapes, bindings, and how a result is written. */
export function describe({ x, w, scales, plus, bias }: Inputs, attrs: Attrs) {
	const { format, inputs, outputs, gated } = attrs as unknown as ProductAttrs;
	const rows = x.shape[0];
	const width = gated ? outputs / 2 : outputs;
	const source = sourceOf(format, inputs);
	const bindings: Kernel['inputs'] = [['x', x, source.components], ['w', w, source.components]];
	const optional: [name: string, tensor?: TensorInfo][] = [['scales', scales], ['plus', plus], ['bias', bias]];
	for (const [name, tensor] of optional) if (tensor) bindings.push([name, tensor]);
	const biased = (sum: string, output: string) => (bias ? `${sum} + bias[${output}]` : sum);
	return {
		rows, width, gated, source, bindings,
		key: [format, source.components, ...bindings.slice(2).map(([name]) => name), ...(gated ? ['gated'] : [])].join('_'),
		ints: { rows, width, units: inputs / source.unit },
		/**
		 * WGSL function `put(row, output, sum)`, or `put(row, output, gate, up)` of a gated product; writes nothing
		 * beyond the edges.
		 */
		put: `
fn put(row : i32, n : i32, sum : f32${gated ? ', up : f32' : ''}) {
	if (row >= uniforms.rows || n >= uniforms.width) { return; }
	let at = row * uniforms.width + n;
	${gated ? `let gate = ${biased('sum', 'n')};
	let value = gate / (1.0 + exp(-gate)) * (${biased('up', 'n + uniforms.width')});` : `let value = ${biased('sum', 'n')};`}
	result[at] = ${plus ? 'plus[at] + ' : ''}value;
}`
	};
}
