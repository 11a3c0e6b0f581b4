import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { symmetricEigen } from '$lib/numerics/linear.ts';
import { random } from '$lib/numerics/random.ts';
import { Requests } from '../requests.ts';
import { readMethodSpec, startMethod } from '../start.ts';
import { promptView, Rig } from '../testing/views.ts';
import { averageTurn, expectedLogits, statisticsOf, turnStatistics } from './expected-attention-score.ts';

const N = 50;
const { headDim: d, heads, layers } = TINY;
const full = randomArm(N);
const rig = new Rig(full, []);
const views = full.layers.map((_, layer) => promptView(full, layer, (h) => rig.queries(layer, h)));
/** The prompt's own statistics without the first 4 tokens, [layer][query head]. */
const own = (lost: number) => views.map((view) => Array.from({ length: heads }, (_, h) => statisticsOf(view.queriesBefore(h).subarray(4 * d), d, lost)));

function scored(method: string, layer: number, lost = 0, params: object = {}): Float64Array[] {
	const requests = new Requests();
	const shipped = {
		mean: Float32Array.from(own(lost).flat().flatMap(({ mean }) => Array.from(mean))),
		covariance: Float32Array.from(own(lost).flat().flatMap(({ covariance }) => Array.from(covariance)))
	};
	requests.supply({ weight: () => { throw new Error('no weights'); }, shipped: () => shipped });
	const spec = readMethodSpec({ method, params });
	return startMethod(spec, { model: TINY, random: random(1), promptTokens: N, requests }).score!(full.layers[layer], views[layer]).byHead;
}

describe('expected-attention-stats', () => {
	it('with the prompt’s own mean and covariance is Expected Attention', () => {
		for (let layer = 0; layer < layers; layer++) for (const params of [{}, { epsilon: 0.02, n_future: 32 }, { use_covariance: false }]) {
			const there = scored('expected-attention', layer, 0, params);
			scored('expected-attention-stats', layer, 0, params).forEach((row, head) => row.forEach((score, j) => expect(score).toBeCloseTo(there[head][j], 5)));
		}
	});

	it('with a covariance over one less differs by that factor in the second term and nowhere else', () => {
		const turn = averageTurn(full.rope.invFreq, N, 512);
		const keys = full.layers[1].keys(0);
		const [biased, unbiased] = [0, 1].map((lost) => turnStatistics(own(lost)[1][0], turn));
		const [first, whole, other] = [expectedLogits(keys, biased, false), expectedLogits(keys, biased), expectedLogits(keys, unbiased)];
		other.forEach((z, j) => expect(z - first[j]).toBeCloseTo(((whole[j] - first[j]) * (N - 4)) / (N - 5), 10));
	});

	it('has covariances that are symmetric and nowhere negative, turned or not', () => {
		const turn = averageTurn(full.rope.invFreq, N, 512);
		for (const { mean, covariance } of own(1).flat().flatMap((each) => [each, turnStatistics(each, turn)])) {
			for (let i = 0; i < d; i++) for (let j = 0; j < i; j++) expect(covariance[i * d + j]).toBeCloseTo(covariance[j * d + i], 12);
			expect(symmetricEigen(covariance, d).values.at(-1)).toBeGreaterThanOrEqual(-1e-6);
			expect(mean).toHaveLength(d);
		}
	});

	it('keeps the sinks and fits the budget', () => {
		const { arm } = new Rig(full, [{ method: 'expected-attention-stats', params: { budget: { tokens: 11 } } }]).prefill();
		for (const layer of arm.layers) for (const head of [0, 1]) {
			expect(layer.length(head)).toBe(11);
			expect(Array.from(layer.positions(head).subarray(0, 4))).toEqual([0, 1, 2, 3]);
		}
	});
});
