import { f16round, setFloat16 } from '@petamoriken/float16';
import { describe, expect, it } from 'vitest';
import { halfBits, halfValue, roundToHalf } from './half.ts';
import { random } from './random.ts';

const view = new DataView(new ArrayBuffer(2));
function reference(x: number): number {
	setFloat16(view, 0, x, true);
	return view.getUint16(0, true);
}

describe('halves', () => {
	it('come back as the bits they are, all 65536', () => {
		for (let bits = 0; bits < 65536; bits++) {
			const value = halfValue(bits);
			const back = halfBits(value);
			if (back !== (Number.isNaN(value) ? 0x7e00 : bits)) throw new Error(`${bits} came back as ${back}`);
		}
	});

	it('round to the nearest, ties to even, half way between every two neighbours and beside it', () => {
		for (let bits = 0; bits < 0x7bff; bits++) {
			const middle = (halfValue(bits) + halfValue(bits + 1)) / 2;
			for (const x of [middle, middle * (1 + 2e-16), middle * (1 - 2e-16), -middle]) {
				if (halfBits(x) !== reference(x)) throw new Error(`${x}: ${halfBits(x)} for ${reference(x)}`);
			}
		}
	});

	it('agree with another implementation on numbers of every size', () => {
		const draw = random(5);
		for (let i = 0; i < 5000; i++) {
			const x = draw.normal() * 2 ** draw.int(-30, 20);
			expect(halfBits(x)).toBe(reference(x));
			expect(roundToHalf(x)).toBe(f16round(x));
		}
		for (const x of [0, -0, Infinity, -Infinity, 65504, 65519.99, 65520, 1e300, 5e-324, 2 ** -25, 2 ** -24, 2 ** -14]) {
			expect(halfBits(x)).toBe(reference(x));
		}
	});
});
