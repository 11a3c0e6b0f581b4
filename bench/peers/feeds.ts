/** Names and numbers of the ONNX graph's inputs. */
import { cacheNumbers } from '../page/cache.ts';
import type { LlamaConfig } from './onnx/llama.ts';

export interface Floats {
	name: string;
	dims: number[];
	numbers: Float32Array;
}

/** The past of every layer: `context` tokens, or none. */
export function past({ num_hidden_layers: layers, num_key_value_heads: kvHeads, head_dim: dim }: LlamaConfig, context: number, rows: number): Floats[] {
	return Array.from({ length: layers }, (_, layer) => (['key', 'value'] as const).map((which) => {
		const one = cacheNumbers(which, layer, kvHeads * context * dim);
		const numbers = new Float32Array(one.length * rows);
		for (let row = 0; row < rows; row++) numbers.set(one, row * one.length);
		return { name: `past_key_values.${layer}.${which}`, dims: [rows, kvHeads, context, dim], numbers };
	})).flat();
}

export const longs = (count: number, value: number) => new BigInt64Array(count).fill(BigInt(value));
