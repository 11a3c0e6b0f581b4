/** Small caches for tests. */
import type { ModelShape } from '$lib/documents/trace.ts';
import { fixtureNormal } from '$lib/numerics/fixture.ts';
import { inverseFrequencies, rotation } from '$lib/numerics/rope.ts';
import { ArmCache } from './arm-cache.ts';

export const TINY: ModelShape = {
	id: 'tiny', name: 'tiny', layers: 2, heads: 4, kvHeads: 2, headDim: 8, hidden: 32, vocab: 64,
	context: 256, ropeTheta: 10000, weights: 0
};

/** A cache of `n` random tokens. */
export function randomArm(n: number, shape: ModelShape = TINY, name = 'test'): ArmCache {
	const numbers = (what: string) => (layer: number) => fixtureNormal(`${name}/${what}${layer}`, shape.kvHeads * n * shape.headDim);
	return ArmCache.fromPrompt({
		shape, n, keys: numbers('k'), values: numbers('v'), rope: rotation(inverseFrequencies(shape.headDim, shape.ropeTheta))
	});
}
