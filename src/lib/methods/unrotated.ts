/** Keys as they were before their positions were turned into them. */
import type { LayerCache } from '$lib/cache/types.ts';
import type { Rope } from './define.ts';

/** [length, headDim] of one head's present slots, each turned back by its angle. */
export function unrotated(layer: LayerCache, head: number, rope: Rope): Float32Array {
	return rope.rotate(layer.keys(head), layer.rotaryPositions(head).map((angle) => -angle), layer.headDim);
}
