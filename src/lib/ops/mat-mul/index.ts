/** Products with weights. */
import type { Tensor } from '@tensorflow/tfjs-core';
import { registerOp, runOp, type Inputs } from '../kernel.ts';
import { webgpu } from './kernel.wgsl.ts';
import type { ProductAttrs } from './product.ts';
import { stock } from './stock.ts';
import type { Weight } from './weight.ts';

export { fittingFormat, type WeightFormat } from './formats.ts';
export { makeWeight, makeWeightFromRows, readWeight, transposed, type Rows, type Weight } from './weight.ts';

registerOp({ name: 'WinnowMatMul', webgpu, stock });

/** What is added to a product. */
export interface Added {
	/** [rows, outputs]: a residual. */
	plus?: Tensor;
	/** [outputs], the same for every row. */
	bias?: Tensor;
}

/** `x` [rows, inputs] -> [rows, outputs]: x W^T + bias + plus. Throws RangeError when the shapes do not fit. */
export function matMul(x: Tensor, weight: Weight, { plus, bias }: Added = {}): Tensor {
	return run(x, weight, { plus, bias }, false);
}

/**
 * SwiGLU (Shazeer 2020) of a product: `x` [rows, inputs], `gateUp` a gate above an up projection with
 * 2 x width outputs, `bias` [2 x width] -> silu(gate) x up, [rows, width]. One kernel where rows are few.
 */
export function matMulSwiGlu(x: Tensor, gateUp: Weight, { bias }: Pick<Added, 'bias'> = {}): Tensor {
	return run(x, gateUp, { bias }, true);
}

function run(x: Tensor, { tensor, scales, inputs, outputs, format, rowMajorOutputs }: Weight, { plus, bias }: Added, gated: boolean): Tensor {
	if (x.shape[x.shape.length - 1] !== inputs) {
		throw new RangeError(`${x.shape.join(' x ')} does not fit a weight of ${outputs} x ${inputs}`);
	}
	if (bias && bias.size !== outputs) throw new RangeError(`a bias of ${bias.size} does not fit ${outputs} outputs`);
	const all: Inputs = { x, w: tensor };
	for (const [name, added] of Object.entries({ scales, plus, bias })) if (added) all[name] = added;
	const attrs: ProductAttrs = { format, inputs, outputs, rowMajorOutputs, gated };
	return runOp('WinnowMatMul', all, { ...attrs });
}
