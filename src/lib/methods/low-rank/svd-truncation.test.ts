import { describe, expect, it } from 'vitest';
import { ArmCache } from '$lib/cache/arm-cache.ts';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { rankForEnergy, svd } from '$lib/numerics/linear.ts';
import { expectBillIsPacked } from '../testing/untouched.ts';
import { Rig } from '../testing/views.ts';
import { sideBySide } from './joint.ts';
import { firstColumns, rightVectors } from './svd-truncation.ts';

const d = TINY.headDim;
const N = 40;
const HEADS = TINY.layers * TINY.kvHeads;
const full = randomArm(N);
const spec = (params: object) => ({ method: 'svd-truncation', params: { precision: 32, ...params } });
const square = (x: ArrayLike<number>) => Array.from(x).reduce((sum, value) => sum + value * value, 0);
const minus = (a: Float32Array, b: Float32Array) => a.map((x, i) => x - b[i]);
const before = (head: number) => full.rope.rotate(full.layers[0].keys(head), Int32Array.from({ length: N }, (_, i) => -i), d);

describe('the basis', () => {
	it('is orthonormal and agrees with the full decomposition', () => {
		const block = full.layers[0].values(0);
		const { vectors, values } = rightVectors(block, d);
		const reference = svd(block, N, d);
		for (let i = 0; i < d; i++) {
			expect(values[i]).toBeCloseTo(reference.values[i], 4);
			for (let j = 0; j < d; j++) {
				let dot = 0;
				for (let c = 0; c < d; c++) dot += vectors[c * d + i] * vectors[c * d + j];
				expect(Math.abs(dot - (i === j ? 1 : 0))).toBeLessThan(1e-5);
			}
		}
		expect(firstColumns(vectors, d, 2)).toHaveLength(2 * d);
	});
});

describe('svd-truncation', () => {
	it.each([1, 3, 6])('at rank %i loses exactly the energy of the singular values it drops', (rank) => {
		const arm = new Rig(full, [spec({ rankK: rank, rankV: rank, place: 'after' })]).prefill().arm;
		for (const which of ['keys', 'values'] as const) {
			const exact = full.layers[0][which](1);
			const lost = square(minus(arm.layers[0][which](1), exact));
			const wanted = square(svd(exact, N, d).values.slice(rank));
			expect(Math.abs(lost / wanted - 1)).toBeLessThan(1e-4);
		}
	});

	it('before rotation loses the energy of the unrotated keys, and turns them back', () => {
		const arm = new Rig(full, [spec({ rankK: 3, rankV: d })]).prefill().arm;
		const lost = square(minus(arm.layers[0].keys(0), full.layers[0].keys(0)));
		expect(Math.abs(lost / square(svd(before(0), N, d).values.slice(3)) - 1)).toBeLessThan(1e-4);
		expect(arm.layers[0].values(0)).toEqual(full.layers[0].values(0));
	});

	it('at rank d - 1 of a matrix of that rank gives it back', () => {
		const arm = new Rig(randomArm(d - 1), [spec({ rankK: d - 1, rankV: d - 1 })]).prefill().arm;
		const exact = randomArm(d - 1).layers[1];
		const off = minus(arm.layers[1].keys(1), exact.keys(1));
		expect(Math.max(...off.map(Math.abs))).toBeLessThan(1e-4);
	});

	it('writes new tokens in the basis of the prompt', () => {
		const rig = new Rig(full, [spec({ rankK: 3, rankV: 3, place: 'after' })]).prefill();
		const plain = new Rig(full, []).prefill();
		for (let step = 0; step < 4; step++) {
			rig.decode();
			plain.decode();
		}
		const { vectors } = rightVectors(full.layers[0].keys(0), d);
		const basis = firstColumns(vectors, d, 3);
		const [got, exact] = [rig.arm.layers[0].keys(0), plain.arm.layers[0].keys(0)];
		for (let t = N; t < N + 4; t++) {
			const codes = [0, 1, 2].map((i) => Array.from({ length: d }, (_, c) => exact[t * d + c] * basis[c * 3 + i]).reduce((a, b) => a + b));
			for (let c = 0; c < d; c++) {
				const wanted = codes.reduce((sum, code, i) => sum + code * basis[c * 3 + i], 0);
				expect(got[t * d + c]).toBeCloseTo(wanted, 4);
			}
		}
	});

	it('is charged for T r coordinates and one basis of d r a head and side, or T r and H d r for all heads together', () => {
		const bill = (params: object) => {
			const rig = new Rig(full, [{ method: 'svd-truncation', params: { rankK: 3, rankV: 5, ...params } }]).prefill();
			rig.decode();
			return rig.arm.bill().items;
		};
		expect(bill({})).toMatchObject({ payload: HEADS * 2 * (N + 1) * 8, codebooks: HEADS * 2 * d * 8 });
		expect(bill({ precision: 32 })).toMatchObject({ payload: HEADS * 4 * (N + 1) * 8, codebooks: HEADS * 4 * d * 8 });
		expect(bill({ scope: 'layer' })).toMatchObject({
			payload: TINY.layers * 2 * (N + 1) * 8, codebooks: TINY.layers * 2 * TINY.kvHeads * d * 8, indices: 0
		});
	});

	it('with all heads together loses the energy of the singular values of the wide matrix', () => {
		const arm = new Rig(full, [spec({ rankK: 5, rankV: 7, scope: 'layer', place: 'after' })]).prefill().arm;
		for (const [which, rank] of [['keys', 5], ['values', 7]] as const) {
			const exact = [0, 1].map((head) => full.layers[1][which](head));
			const wide = sideBySide(exact, d);
			const lost = [0, 1].reduce((sum, head) => sum + square(minus(arm.layers[1][which](head), exact[head])), 0);
			expect(Math.abs(lost / square(svd(wide, N, 2 * d).values.slice(rank)) - 1)).toBeLessThan(1e-4);
		}
	});

	it('heads that repeat each other cost half together', () => {
		const twin = ArmCache.fromPrompt({
			shape: TINY, n: N, rope: full.rope,
			keys: (layer) => Float32Array.from([0, 0].flatMap((head) => Array.from(full.layers[layer].keys(head)))),
			values: (layer) => Float32Array.from([0, 0].flatMap((head) => Array.from(full.layers[layer].values(head))))
		});
		const run = (scope: string, rank: number) => new Rig(twin, [spec({ rankK: rank, rankV: rank, scope })]).prefill().arm;
		const lost = (arm: ArmCache) => square(minus(arm.layers[0].values(1), twin.layers[0].values(1)));
		expect(lost(run('layer', 6))).toBeCloseTo(lost(run('head', 6)), 3);
		expect(run('layer', 6).bill().items.payload * 2).toBe(run('head', 6).bill().items.payload);
	});

	it('together, tokens that some heads have lost stay exact in the others; after an uneven eviction each head goes alone', () => {
		const rig = new Rig(full, [spec({ rankK: 5, rankV: 7, scope: 'layer' }), { method: 'h2o', params: { budget: { tokens: 12 } } }]).prefill();
		for (let step = 0; step < 15; step++) {
			rig.decode();
			expectBillIsPacked(rig.arm);
		}
		const uneven = new Rig(full, [{ method: 'knorm', params: { budget: { tokens: 20 } } }, spec({ rankK: 5, rankV: 7, scope: 'layer' })]).prefill().arm;
		expect(uneven.records.find(({ verb }) => verb === 'project')!.codec).toMatch(/^rank 5 of 8/);
	});

	it('with an energy takes the least rank that has it, head by head', () => {
		const arm = new Rig(full, [spec({ energy: 0.8 })]).prefill().arm;
		for (const { which, rank, layer, head } of arm.records.filter(({ verb }) => verb === 'project')) {
			const block = which === 'V' ? full.layers[layer].values(head) : full.rope.rotate(full.layers[layer].keys(head), Int32Array.from({ length: N }, (_, i) => -i), d);
			expect(rank).toBe(rankForEnergy(svd(block, N, d).values, 0.8));
		}
	});
});
