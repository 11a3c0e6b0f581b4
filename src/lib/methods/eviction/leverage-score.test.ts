import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { fixtureNormal } from '$lib/numerics/fixture.ts';
import { svd } from '$lib/numerics/linear.ts';
import { random } from '$lib/numerics/random.ts';
import { promptView, Rig } from '../testing/views.ts';
import { centred, cholesky, leverageOf, leverages, sketches } from './leverage-score.ts';

const N = 60;
const d = TINY.headDim;
const full = randomArm(N);

/** diag(Y (Y^T Y)^-1 Y^T) by singular vectors: the squared lengths of the rows of U. */
function exact(y: Float64Array, k: number): number[] {
	const { left, rank } = svd(y, y.length / k, k);
	return Array.from({ length: y.length / k }, (_, row) => left.subarray(row * rank, (row + 1) * rank).reduce((sum, x) => sum + x * x, 0));
}

describe('leverage-score', () => {
	it('without a sketch matches the hat matrix to 1e-4, lies in [0, 1) and sums to the rank', () => {
		const y = centred(fixtureNormal('y', 200 * d).map((x) => 3 * x), d, null);
		const found = leverages(y, d);
		exact(y, d).forEach((wanted, row) => expect(Math.abs(found[row] - wanted)).toBeLessThan(1e-4));
		expect(found.every((x) => x >= 0 && x < 1)).toBe(true);
		expect(Math.abs(found.reduce((a, b) => a + b) - d)).toBeLessThan(1e-2);
	});

	it('with a sketch sums to its width', () => {
		const [sketch] = sketches(random(5), full.layers[0], 5);
		expect(sketch).toHaveLength(5 * d);
		const found = leverages(centred(full.layers[0].keys(0).map((x) => 10 * x), d, sketch), 5);
		expect(Math.abs(found.reduce((a, b) => a + b) - 5)).toBeLessThan(1e-2);
		expect(sketches(random(5), full.layers[0], d)).toEqual([null, null]);
	});

	it('halves, roughly, when a key that stands alone is doubled', () => {
		const one = Float64Array.from(fixtureNormal('z', 40 * d));
		one.subarray(0, d).fill(0);
		one[0] = 1000;
		const two = Float64Array.from([...one, ...one.subarray(0, d)]);
		expect(leverages(two, d)[0] / leverages(one, d)[0]).toBeCloseTo(0.5, 2);
	});

	it('is standardised over all heads and tokens together', () => {
		const rows = leverageOf(full.layers[0], promptView(full, 0, () => []), [null, null]);
		const all = rows.flatMap((row) => Array.from(row));
		const mean = all.reduce((a, b) => a + b) / all.length;
		expect(mean).toBeCloseTo(0, 9);
		expect(all.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (all.length - 1)).toBeCloseTo(1, 9);
	});

	it('looks at keys before rotation: the same keys at other angles score the same', () => {
		const arm = full.fork();
		const seen = promptView(full, 0, () => []);
		for (const head of [0, 1]) arm.layers[0].keep(head, Array.from({ length: 30 }, (_, i) => 2 * i));
		const before = leverageOf(arm.layers[0], seen, [null, null]);
		for (const head of [0, 1]) arm.layers[0].rerotate(head);
		leverageOf(arm.layers[0], seen, [null, null]).forEach((row, head) => row.forEach((x, j) => expect(x).toBeCloseTo(before[head][j], 3)));
	});

	it('solves with more jitter where keys are all equal, and refuses nothing', () => {
		expect(cholesky(Float64Array.of(1, 2, 2, 1), 2)).toBeNull();
		expect(Array.from(leverages(new Float64Array(5 * d), d))).toEqual([0, 0, 0, 0, 0]);
	});

	it('repeats itself with the same seed and differs with another', () => {
		const kept = (name: string) => {
			const { layers } = new Rig(full, [{ method: 'leverage-score', params: { budget: { tokens: 20 }, sketch: 3 } }], name).prefill().arm;
			return layers.map((layer) => [0, 1].map((head) => Array.from(layer.positions(head))));
		};
		expect(kept('a')).toEqual(kept('a'));
		expect(kept('a')).not.toEqual(kept('b'));
	});
});
