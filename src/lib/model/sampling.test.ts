import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { random } from '$lib/numerics/random.ts';
import { argmax, sampleToken } from './sampling.ts';

const logits = Float32Array.of(1, 3, 2, -1, 3);

function shares(sampling: { temperature: number; topK: number; topP: number }, draws = 4000): number[] {
	const stream = random('shares');
	const counts = new Array<number>(logits.length).fill(0);
	for (let i = 0; i < draws; i++) counts[sampleToken(logits, sampling, stream)]++;
	return counts.map((count) => count / draws);
}

describe('sampleToken', () => {
	it('is greedy at temperature 0, the first of equals, without using up randomness', () => {
		const stream = random(1);
		const next = random(1).uniform();
		expect(sampleToken(logits, { temperature: 0, topK: 0, topP: 1 }, stream)).toBe(1);
		expect(stream.uniform()).toBe(next);
		expect(argmax([-3, -1, -2])).toBe(1);
	});

	it('draws with the probabilities of the softmax', () => {
		const weights = Array.from(logits, (l) => Math.exp(l / 2));
		const total = weights.reduce((a, b) => a + b, 0);
		const drawn = shares({ temperature: 2, topK: 0, topP: 1 });
		weights.forEach((weight, i) => expect(Math.abs(drawn[i] - weight / total)).toBeLessThan(0.03));
	});

	it('keeps to the k most likely, and to the nucleus', () => {
		expect(shares({ temperature: 1, topK: 2, topP: 1 }).map((s) => s > 0)).toEqual([false, true, false, false, true]);
		expect(shares({ temperature: 1, topK: 0, topP: 0.9 }).map((s) => s > 0)).toEqual([false, true, true, false, true]);
		expect(shares({ temperature: 1, topK: 0, topP: 0.01 }).map((s) => s > 0)).toEqual([false, true, false, false, false]);
	});

	it('gives a token for any logits, the same for the same seed', () => {
		const bounded = fc.float({ min: -50, max: 50, noNaN: true });
		fc.assert(fc.property(fc.float32Array({ minLength: 1, maxLength: 30, min: -50, max: 50, noNaN: true }), bounded, fc.integer({ min: 0, max: 40 }), fc.nat(), (numbers, heat, topK, seed) => {
			const sampling = { temperature: Math.abs(heat), topK, topP: 0.95 };
			const token = sampleToken(numbers, sampling, random(seed));
			expect(token).toBeGreaterThanOrEqual(0);
			expect(token).toBeLessThan(numbers.length);
			expect(sampleToken(numbers, sampling, random(seed))).toBe(token);
		}));
	});
});
