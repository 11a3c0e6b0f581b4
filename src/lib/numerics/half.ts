/**
 * IEEE half floats (binary16) as bits: what the packed cache stores. Rounding is to the nearest,
 * ties to even; beyond +-65504 a number becomes infinite, as it would in a real fp16 cache.
 */
import { f16round, getFloat16, setFloat16 } from '@petamoriken/float16';

const scratch = new DataView(new ArrayBuffer(2));
let table: Float32Array | null = null;

/** All 65536 halves as float32; built once, 256 KB. */
function halves(): Float32Array {
	if (!table) {
		table = new Float32Array(65536);
		for (let bits = 0; bits < 65536; bits++) {
			scratch.setUint16(0, bits, true);
			table[bits] = getFloat16(scratch, 0, true);
		}
	}
	return table;
}

/** The nearest half, as a number. */
export const roundToHalf: (x: number) => number = f16round;

/** Bits of the nearest halves. */
export function toHalf(numbers: ArrayLike<number>): Uint16Array {
	const bits = new Uint16Array(numbers.length);
	for (let i = 0; i < numbers.length; i++) bits[i] = halfBits(numbers[i]);
	return bits;
}

/** Bits of the nearest half. */
export function halfBits(x: number): number {
	setFloat16(scratch, 0, x, true);
	return scratch.getUint16(0, true);
}

/** The numbers that these bits stand for (exact in float32). */
export function fromHalf(bits: Uint16Array): Float32Array {
	const all = halves();
	const numbers = new Float32Array(bits.length);
	for (let i = 0; i < bits.length; i++) numbers[i] = all[bits[i]];
	return numbers;
}

/** The number that these bits stand for. */
export function halfValue(bits: number): number {
	return halves()[bits];
}

/** Smallest half that is >= x (x finite, within the range of halves). */
export function halfAtLeast(x: number): number {
	const nearest = f16round(x);
	if (nearest >= x) return nearest;
	const bits = halfBits(nearest);
	// Toward +infinity: up in magnitude for positive numbers, down for negative ones; -0 goes to the smallest.
	return halfValue(bits === 0x8000 ? 1 : bits & 0x8000 ? bits - 1 : bits + 1);
}

/** Largest half that is <= x. */
export function halfAtMost(x: number): number {
	return -halfAtLeast(-x);
}
