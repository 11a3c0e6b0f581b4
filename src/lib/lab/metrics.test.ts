import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { klFromLogits, softmax } from '$lib/numerics/distribution.ts';
import { compare, Distribution, rowStep } from './metrics.ts';

const name = (id: number) => `t${id}`;
const logits = fc.float32Array({ minLength: 20, maxLength: 200, noNaN: true, noDefaultInfinity: true, min: -30, max: 30 });

describe('distributions', () => {
	it('agree with the plain formulas', () => {
		fc.assert(fc.property(logits, fc.nat(), (a, shift) => {
			const b = a.map((x, i) => x + ((i * (shift % 7)) % 5) - 2);
			const [full, arm] = [new Distribution(a), new Distribution(b)];
			expect(full.kl(arm)).toBeCloseTo(klFromLogits(a, b), 9);
			expect(full.kl(new Distribution(a.slice()))).toBe(0);
			const p = softmax(a);
			const step = rowStep(full, 3, 'x', name);
			expect(step.nll).toBeCloseTo(-Math.log(p[3]), 6);
			expect(step.top).toHaveLength(8);
			for (let i = 1; i < 8; i++) expect(step.top[i].p).toBeLessThanOrEqual(step.top[i - 1].p);
			expect(step.top[0].p).toBeCloseTo(Math.max(...p), 9);
			const { fullTop, pOfFullTop, agrees } = compare(full, arm, name);
			fullTop.forEach(({ id }, i) => expect(pOfFullTop[i]).toBeCloseTo(softmax(b)[id], 9));
			expect(agrees).toBe(full.best[0] === arm.best[0]);
		}));
	});
});
