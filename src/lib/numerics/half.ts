/**
 * IEEE half floats (binary16) as bits: what the packed cache stores. Rounding is to the nearest,
 * ties to even; beyond +-65504 a number becomes infinite, as it would in a real fp16 cache.
 */
import { getFloat16 } from '@petamoriken/float16';

const scratch = new DataView(new ArrayBuffer(2));
const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
/** Which of the two words of a double holds sign and exponent: depends on the machine. */
const HIGH = (() => {
	double[0] = 1;
	return words[1] === 0 ? 0 : 1;
})();
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
export function roundToHalf(x: number): number {
	return halves()[halfBits(x)];
}

/** Bits of the nearest halves. */
export function toHalf(numbers: ArrayLike<number>): Uint16Array {
	const bits = new Uint16Array(numbers.length);
	for (let i = 0; i < numbers.length; i++) bits[i] = halfBits(numbers[i]);
	return bits;
}

/** Bits of the nearest half. Rounds the double itself, once: by way of a float32 it would be twice. */
export function halfBits(x: number): number {
	double[0] = x;
	const high = words[HIGH];
	const sign = (high >>> 16) & 0x8000;
	const exponent = ((high >>> 20) & 0x7ff) - 1023;
	const size = Math.abs(x);
	if (size !== size) return 0x7e00;
	// Half way from the largest half, 65504, to the next power of two rounds to infinity.
	if (size >= 65520) return sign | 0x7c00;
	// Below 2^-14 halves are multiples of 2^-24, above it of 2^(exponent - 10).
	const scaled = exponent < -14 ? size * 2 ** 24 : size * 2 ** (10 - exponent);
	let mantissa = Math.floor(scaled);
	const rest = scaled - mantissa;
	if (rest > 0.5 || (rest === 0.5 && (mantissa & 1) === 1)) mantissa++;
	// A mantissa that overflows carries into the exponent by itself.
	return sign | (exponent < -14 ? mantissa : ((exponent + 14) << 10) + mantissa);
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
	const nearest = roundToHalf(x);
	if (nearest >= x) return nearest;
	const bits = halfBits(nearest);
	// Toward +infinity: up in magnitude for positive numbers, down for negative ones; -0 goes to the smallest.
	return halfValue(bits === 0x8000 ? 1 : bits & 0x8000 ? bits - 1 : bits + 1);
}

/** Largest half that is <= x. */
export function halfAtMost(x: number): number {
	return -halfAtLeast(-x);
}
