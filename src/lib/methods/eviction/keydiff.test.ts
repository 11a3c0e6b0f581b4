import { describe, expect, it } from 'vitest';
import { ArmCache } from '$lib/cache/arm-cache.ts';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { Rig } from '../testing/views.ts';
import { oddKeys } from './keydiff.ts';

const N = 40;
const d = TINY.headDim;
const full = randomArm(N);

/** The same cache with other keys, given by layer, head, token and channel. */
const withKeys = (key: (old: number, token: number, channel: number) => number): ArmCache =>
	ArmCache.fromPrompt({
		shape: TINY, n: N, rope: full.rope,
		keys: (layer) => Float32Array.from([0, 1].flatMap((head) => Array.from(full.layers[layer].keys(head), (old, at) => key(old, Math.floor(at / d), at % d)))),
		values: (layer) => Float32Array.from([0, 1].flatMap((head) => Array.from(full.layers[layer].values(head))))
	});

describe('keydiff', () => {
	it('is minus the cosine with the mean of the unit keys, as brute force says', () => {
		for (const layer of full.layers) {
			oddKeys(layer).byHead.forEach((row, head) => {
				const keys = Array.from({ length: N }, (_, j) => Array.from(layer.keys(head).subarray(j * d, (j + 1) * d)));
				const units = keys.map((key) => key.map((x) => x / Math.hypot(...key)));
				const mean = keys[0].map((_, c) => units.reduce((sum, unit) => sum + unit[c], 0) / N);
				row.forEach((score, j) => {
					const dot = keys[j].reduce((sum, x, c) => sum + x * mean[c], 0);
					expect(score).toBeCloseTo(-dot / (Math.hypot(...keys[j]) * Math.hypot(...mean)), 10);
					expect(Math.abs(score)).toBeLessThanOrEqual(1 + 1e-12);
				});
			});
		}
	});

	it('does not change when a key is made longer', () => {
		const before = oddKeys(full.layers[0]).byHead;
		const after = oddKeys(withKeys((old, token) => old * (token === 7 ? 5 : token === 20 ? 0.25 : 1)).layers[0]).byHead;
		after.forEach((row, head) => row.forEach((score, j) => expect(score).toBeCloseTo(before[head][j], 6)));
	});

	it('says -1 for all when all keys are equal, and nothing undefined for keys of length 0', () => {
		for (const row of oddKeys(withKeys((_old, _token, channel) => channel - 2).layers[0]).byHead) {
			row.forEach((score) => expect(score).toBeCloseTo(-1, 10));
		}
		for (const row of oddKeys(withKeys(() => 0).layers[0]).byHead) row.forEach((score) => expect(Math.abs(score)).toBe(0));
	});

	it('keeps the best of each head', () => {
		const rig = new Rig(full, [{ method: 'keydiff', params: { budget: { tokens: 13 } } }]).prefill();
		rig.arm.layers.forEach((layer, index) => {
			oddKeys(full.layers[index]).byHead.forEach((row, head) => {
				const kept = new Set(layer.positions(head));
				expect(kept.size).toBe(13);
				const least = Math.min(...Array.from(kept, (position) => row[position]));
				row.forEach((score, position) => !kept.has(position) && expect(score).toBeLessThanOrEqual(least));
			});
		});
	});
});
