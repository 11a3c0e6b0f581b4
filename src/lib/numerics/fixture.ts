/**
 * Random tensors of the conformance fixture: every language can make them bit for bit.
 * Seed = FNV-1a of the name; four uniforms of mulberry32 give one number of unit variance.
 */
import { fnv1a, mulberry32 } from './random.ts';

/** `count` numbers of the tensor `name`, row-major, float32. */
export function fixtureNormal(name: string, count: number): Float32Array {
	const uniform = mulberry32(fnv1a(name));
	const numbers = new Float32Array(count);
	for (let i = 0; i < count; i++) {
		numbers[i] = (uniform() + uniform() + uniform() + uniform() - 2) * Math.sqrt(3);
	}
	return numbers;
}
