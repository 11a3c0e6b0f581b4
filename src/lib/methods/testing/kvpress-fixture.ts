/** The numbers of kvpress 0.5.4 (conformance/kvpress-golden-v1.json), and what tests compare with them. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { ArmCache } from '$lib/cache/arm-cache.ts';
import { fixtureNormal } from '$lib/numerics/fixture.ts';
import { random, type Random } from '$lib/numerics/random.ts';
import type { PromptView, Shipped } from '../define.ts';
import { statisticsOf } from '../eviction/expected-attention-score.ts';
import { GOLDEN, GOLDEN_PROMPT } from './golden-model.ts';

export const golden = JSON.parse(readFileSync('conformance/kvpress-golden-v1.json', 'utf8'));
export const { kvHeads, headDim: d } = GOLDEN;
/** Positions and layers at which the fixture holds scores. */
export const SCORED = [0, 1, 2, 3, 50, 100, 150, 200, 201, 202];
export const SCORED_LAYERS = [0, 3];

export const KVZIP_SCORED = [0, 3, 4, 5, 50, 100, 150, 202];

/** Random numbers of which sketches are the fixture's, the same for every layer: `golden/phi`, [heads, d, 12]. */
export const withSketch: Random = {
	...random(0),
	fork(label) {
		if (!label.startsWith('sketch')) return random(0).fork(label);
		const phi = fixtureNormal('golden/phi', kvHeads * d * 12).values();
		return { ...random(0), normal: () => phi.next().value as number };
	}
};

/** The prompt's own queries without the first 4, in place of calibrated statistics. */
export function promptStatistics(views: readonly PromptView[]): Shipped {
	const all = views.flatMap((view) => Array.from({ length: GOLDEN.heads }, (_, h) => statisticsOf(view.queriesBefore(h).subarray(4 * d), d, 1)));
	return {
		mean: Float32Array.from(all.flatMap(({ mean }) => Array.from(mean))), covariance: Float32Array.from(all.flatMap(({ covariance }) => Array.from(covariance)))
	};
}

/** kvpress removes a ratio r: it keeps trunc(n (1 - r)). */
export const tokensFor = (ratio: number) => ({ tokens: Math.trunc(GOLDEN_PROMPT * (1 - ratio)) });

export const snapkv = { method: 'snapkv', params: { window: 8, kernel: 5 } };
export const withBudget = (spec: { method: string; params?: object }, ratio: number) => ({
	...spec, params: { ...spec.params, budget: tokensFor(ratio) }
});
export const wrapped = (method: string, scorer: object, ratio: number, params: object = {}) => ({
	method, params: { scorer, budget: tokensFor(ratio), ...params }
});

/** Positions of a bitset: hexadecimal, bit i = position i. */
export function positionsOf(hex: string): number[] {
	const set = BigInt(`0x${hex}`);
	return Array.from({ length: GOLDEN_PROMPT }, (_, i) => i).filter((i) => (set >> BigInt(i)) & 1n);
}

export const keptOf = (arm: ArmCache) =>
	arm.layers.flatMap((layer) => Array.from({ length: kvHeads }, (_, head) => Array.from(layer.positions(head))));
export const absoluteSum = (x: ArrayLike<number>) => Array.from(x).reduce((sum, value) => sum + Math.abs(value), 0);
export const sumsOf = (arm: ArmCache, which: 'keys' | 'values') =>
	arm.layers.map((layer) => Array.from({ length: kvHeads }, (_, head) => absoluteSum(layer[which](head))).reduce((a, b) => a + b));

/** Positions that are not in `kept`. */
export function goneOf(kept: number[]): number[] {
	const stays = new Set(kept);
	return Array.from({ length: GOLDEN_PROMPT }, (_, i) => i).filter((i) => !stays.has(i));
}

export function expectClose(found: number[], wanted: number[], absolute: number, relative: number): void {
	expect(found).toHaveLength(wanted.length);
	found.forEach((value, i) => {
		const off = Math.abs(value - wanted[i]);
		expect(off, `number ${i}: ${value} for ${wanted[i]}`).toBeLessThanOrEqual(absolute + relative * Math.abs(wanted[i]));
	});
}
